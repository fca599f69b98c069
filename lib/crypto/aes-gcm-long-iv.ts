import { createCipheriv, timingSafeEqual } from 'node:crypto';

/**
 * AES-256-GCM where the nonce has more than the 128 bytes that OpenSSL 3 takes: NIST SP 800-38D, put together from what
 * OpenSSL has. WeChat Pay's nonces have 12 bytes; this is for completeness, and not made for speed.
 * @returns the ciphertext and, behind it, the tag
 */
export function sealLongIv(key: Buffer, iv: Buffer, aad: Buffer, plaintext: Buffer): Buffer {
  const start = ghash(key, Buffer.alloc(0), iv);
  const ciphertext = crypt(key, start, plaintext);
  return Buffer.concat([ciphertext, tagOf(key, start, aad, ciphertext)]);
}

/** The reverse of {@link sealLongIv}; `undefined` where the tag is wrong. */
export function openLongIv(key: Buffer, iv: Buffer, aad: Buffer, ciphertext: Buffer, tag: Buffer): Buffer | undefined {
  const start = ghash(key, Buffer.alloc(0), iv);
  return timingSafeEqual(tag, tagOf(key, start, aad, ciphertext)) ? crypt(key, start, ciphertext) : undefined;
}

function tagOf(key: Buffer, start: Buffer, aad: Buffer, ciphertext: Buffer): Buffer {
  return xor(ghash(key, aad, ciphertext), encryptBlocks(key, start));
}

/**
 * GHASH over the additional data, the ciphertext and their lengths. A tag of GCM is that, masked with the first block of
 * the keystream: so OpenSSL's GCM is led to the ciphertext under a nonce of zeros, and the mask taken off the tag.
 */
function ghash(key: Buffer, aad: Buffer, ciphertext: Buffer): Buffer {
  const start = Buffer.alloc(16);
  start.writeUInt32BE(1, 12);
  const cipher = createCipheriv('aes-256-gcm', key, start.subarray(0, 12)).setAAD(aad);
  cipher.update(crypt(key, start, ciphertext));
  cipher.final();
  return xor(cipher.getAuthTag(), encryptBlocks(key, start));
}

/** Counter mode from the block after `start`: the last 32 bits count, and wrap around. */
function crypt(key: Buffer, start: Buffer, data: Buffer): Buffer {
  const counters = Buffer.concat(Array<Buffer>(Math.ceil(data.length / 16)).fill(start));
  for (let at = 12, count = start.readUInt32BE(12) + 1; at < counters.length; at += 16, count++) {
    counters.writeUInt32BE(count >>> 0, at);
  }
  return xor(data, encryptBlocks(key, counters));
}

function encryptBlocks(key: Buffer, blocks: Buffer): Buffer {
  return createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(blocks);
}

function xor(one: Buffer, other: Buffer): Buffer {
  return Buffer.from(one.map((octet, index) => octet ^ (other[index] ?? 0)));
}
