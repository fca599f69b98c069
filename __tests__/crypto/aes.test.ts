import * as AesEcb from '../../lib/crypto/aes-ecb';
import * as AesGcm from '../../lib/crypto/aes-gcm';
import { InvalidArgumentError } from '../../lib/errors';
import * as Hash from '../../lib/signature/hash';
import { rejection } from '../support/rejection';
import { expectNoLeak } from './support';

const KEY = 'recognisable-APIv3-key-32-bytes!';
const TEXT = '{"姓名":"张三-recognisable"}';
const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
const bytes = (hex: string) => Buffer.from(hex, 'hex');

const ciphers: [string, typeof AesGcm | typeof AesEcb][] = [
  ['AesGcm', AesGcm],
  ['AesEcb', AesEcb],
];

describe.each(ciphers)('%s', (_, cipher) => {
  test.each(['', 'a', 'a'.repeat(16), TEXT, '中'.repeat(5000)])('decrypts what it encrypted: %#', async (text) => {
    expect(await cipher.decrypt(await cipher.encrypt(text, KEY, 'nonce', 'aad'), KEY, 'nonce', 'aad')).toBe(text);
  });

  test('takes text as UTF-8 and bytes alike', async () => {
    const ciphertext = await cipher.encrypt(
      Buffer.from(TEXT),
      Buffer.from(KEY),
      Buffer.from('随机'),
      Buffer.from('附加'),
    );
    expect(ciphertext).toBe(await cipher.encrypt(TEXT, KEY, '随机', '附加'));
  });

  test.each([0, 16, 24, 31, 33])('refuses a key of %d bytes', async (length) => {
    const key = KEY.repeat(2).slice(0, length);
    for (const run of [() => cipher.encrypt(TEXT, key, 'iv'), () => cipher.decrypt('AAAA', key, 'iv')]) {
      const error = await rejection(run);
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error.message).toContain(`must be 32 bytes long; this one has ${length}.`);
      expectNoLeak(error, `${key} ${TEXT}`);
    }
  });

  test('counts bytes and not characters of a key', async () => {
    await expect(cipher.encrypt(TEXT, '密'.repeat(32), 'iv')).rejects.toThrow(/this one has 96/);
  });

  test.each([null, undefined, 123456, {}])('refuses %p as key or text', async (value) => {
    const wrong = value as unknown as string;
    await expect(cipher.encrypt(wrong, KEY, 'iv')).rejects.toThrow(/"plaintext" must be a string or bytes/);
    await expect(cipher.encrypt(TEXT, wrong, 'iv')).rejects.toThrow(/"key" must be a string or bytes/);
    await expect(cipher.decrypt(wrong, KEY, 'iv')).rejects.toThrow(InvalidArgumentError);
  });

  /** A tag that is wrong, and what has none. */
  const [FORGED, TRUNCATED] =
    cipher === AesGcm
      ? ['authentication failed', 'must be the Base64']
      : ['cannot be decrypted', 'cannot be decrypted'];

  test.each<[string, (ciphertext: string) => string, string, string?]>([
    ['another key', (ciphertext) => ciphertext, `${KEY.slice(1)}?`, FORGED],
    [
      'a flipped bit',
      (ciphertext) => Buffer.from(ciphertext, 'base64').fill('x', 3, 20).toString('base64'),
      KEY,
      FORGED,
    ],
    ['a byte too few', (ciphertext) => Buffer.from(ciphertext, 'base64').subarray(1).toString('base64'), KEY, FORGED],
    ['Base64 with a line break', (ciphertext) => `${ciphertext}\n`, KEY, TRUNCATED],
    ['no Base64', () => 'recognisable-nonsense', KEY, TRUNCATED],
    ['nothing', () => '', KEY, TRUNCATED],
  ])('refuses to decrypt: %s', async (_, change, key, message) => {
    const ciphertext = change(await cipher.encrypt(TEXT, KEY, 'nonce-of-12b', 'aad'));
    const error = await rejection(() => cipher.decrypt(ciphertext, key, 'nonce-of-12b', 'aad'));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).toContain(message);
    expectNoLeak(error, `${KEY} ${TEXT} ${ciphertext}`);
  });
});

describe('AesGcm', () => {
  // Wycheproof's aes_gcm_test, cases with a nonce of 12, 1, 16 and 128 bytes.
  const vectors: [string, string, string, string, string, string][] = [
    [
      '92ace3e348cd821092cd921aa3546374299ab46209691bc28b8752d17f123c20',
      '00112233445566778899aabb',
      '00000000ffffffff',
      '00010203040506070809',
      'e27abdd2d2a53d2f136b',
      '9a4a2579529301bcfb71c78d4060f52c',
    ],
    [
      '144cd8279229e8bb2de99d24e615306663913fe9177fcd270fafec493d43bca1',
      'b3',
      '',
      '976229f5538f9636476d69f0c328e29d',
      '7bea30ecc2f73f8e121263b37966954c',
      '8bbad4adc54b37a2b2f0f6e8617548c9',
    ],
    [
      '00112233445566778899aabbccddeeff102132435465768798a9bacbdcedfe0f',
      '5c2ea9b695fcf6e264b96074d6bfa572',
      '',
      '00000000000000000000000000000000000000000000000000000000000000000000000000000000',
      '28e1c5232f4ee8161dbe4c036309e0b3254e9212bef0a93431ce5e5604c8f6a73c18a3183018b770',
      'd5808a1bd11a01129bf3c6919aff2339',
    ],
    [
      '7b0b12491901d62d097fa26dc71e15cfacafa3226719e47126d99c79d98ec222',
      '7d08b226b4a5d03f6f8cb3a3cb8d1ce31b059dc5112385275e38a15c97e0f24022b249a5f7019ea577198cb26ac64e82b2b04681537c4198775a523b0e6494b84febaef3399b35c27b0969fa43572bf5827a763aac1af69526f37e38acb5d354f2b68487f275f4361ed39073f7dd6653ac17c0794118a0cf143293ac0be66229',
      '',
      'c80312590700c3bbfacd1a40',
      '3f3c151e984d059462f9e5a0',
      'e559f5f755aa292171cc35fbf911a64f',
    ],
  ];

  test.each(vectors)('vector %#', async (key, iv, aad, plaintext, ciphertext, tag) => {
    expect(await AesGcm.encrypt(bytes(plaintext), bytes(key), bytes(iv), bytes(aad))).toBe(base64(ciphertext + tag));
    const decrypted = await AesGcm.decrypt(base64(ciphertext + tag), bytes(key), bytes(iv), bytes(aad));
    expect(decrypted).toBe(bytes(plaintext).toString());
  });

  test.each([12, 128])('checks every bit of tag, ciphertext, aad and nonce: nonce of %d bytes', async (length) => {
    const iv = Buffer.alloc(length, 7);
    const sealed = Buffer.from(await AesGcm.encrypt('amount', KEY, iv, 'aad'), 'base64');
    for (let at = 0; at < sealed.length; at++) {
      const forged = Buffer.from(sealed);
      forged[at] = (forged[at] ?? 0) ^ (1 << (at % 8));
      await expect(AesGcm.decrypt(forged.toString('base64'), KEY, iv, 'aad')).rejects.toThrow(/authentication failed/);
    }
    const ciphertext = sealed.toString('base64');
    expect(await AesGcm.decrypt(ciphertext, KEY, iv, 'aad')).toBe('amount');
    await expect(AesGcm.decrypt(ciphertext, KEY, iv, 'aaD')).rejects.toThrow(/APIv3 key is wrong/);
    await expect(AesGcm.decrypt(ciphertext, KEY, iv)).rejects.toThrow(/authentication failed/);
    await expect(AesGcm.decrypt(ciphertext, KEY, iv.fill(8), 'aad')).rejects.toThrow(/authentication failed/);
  });

  test('the additional data are empty by default', async () => {
    expect(await AesGcm.encrypt(TEXT, KEY, 'nonce')).toBe(await AesGcm.encrypt(TEXT, KEY, 'nonce', ''));
  });

  test('an empty nonce is refused', async () => {
    await expect(AesGcm.encrypt(TEXT, KEY, '')).rejects.toThrow(/"iv" is empty/);
    await expect(AesGcm.decrypt('AAAA', KEY, '')).rejects.toThrow(/"iv" is empty/);
  });

  // Wycheproof has vectors with a nonce of 257 bytes: no OpenSSL 3 takes these, and WeChat Pay sends 12.
  test.each([129, 257])('a nonce of %d bytes is refused by name, with its length', async (length) => {
    const iv = Buffer.alloc(length, 'recognisable-nonce');
    for (const run of [() => AesGcm.encrypt(TEXT, KEY, iv), () => AesGcm.decrypt('A'.repeat(24), KEY, iv)]) {
      const error = await rejection(run);
      expect(error).toBeInstanceOf(InvalidArgumentError);
      expect(error.message).toBe(`"iv" must have 1 to 128 bytes; this one has ${length}. WeChat Pay's "nonce" has 12.`);
      expectNoLeak(error, `${KEY} ${TEXT}`);
    }
  });

  test('what is shorter than a tag is refused', async () => {
    await expect(AesGcm.decrypt(base64('00'.repeat(15)), KEY, 'nonce')).rejects.toThrow(
      /Base64 encoding of at least 16 bytes/,
    );
  });
});

describe('AesEcb', () => {
  test('is that of NIST SP 800-38A, F.1.5, with a block of padding', async () => {
    const key = bytes('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4');
    const plaintext = bytes('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51');
    const ciphertext = Buffer.from(await AesEcb.encrypt(plaintext, key), 'base64');
    expect(ciphertext).toHaveLength(48);
    expect(ciphertext.subarray(0, 32).toString('hex')).toBe(
      'f3eed1bdb5d2a03c064b5a7e3db181f8591ccb10d410ed26dc5ba74a31362870',
    );
  });

  test('has no use for iv and aad', async () => {
    expect(await AesEcb.encrypt(TEXT, KEY, 'iv', 'aad')).toBe(await AesEcb.encrypt(TEXT, KEY));
  });

  test('decrypts req_info with the MD5 of the APIv2 key', async () => {
    const key = Hash.md5('192006250b4c09247ec02edce69f6a2d');
    const xml = '<root><out_refund_no><![CDATA[131811191610442717309]]></out_refund_no></root>';
    expect(await AesEcb.decrypt(await AesEcb.encrypt(xml, key), key)).toBe(xml);
  });

  test('refuses what a wrong key makes of a ciphertext, even where the padding happens to be right', async () => {
    const ciphertext = await AesEcb.encrypt('a'.repeat(15), KEY);
    for (let index = 0; index < 1000; index++) {
      const key = String(index).padStart(32, 'k');
      await expect(AesEcb.decrypt(ciphertext, key)).rejects.toThrow(/"req_info"/);
    }
  });
});
