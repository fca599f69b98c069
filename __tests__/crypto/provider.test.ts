import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Crypto } from '@peculiar/webcrypto';
import { peculiarSubtle } from '../../lib/crypto/provider';

test('@peculiar/webcrypto does what the WebCrypto of Node does not', async () => {
  const key = await peculiarSubtle().importKey('raw', Buffer.alloc(32), 'AES-ECB', true, ['encrypt']);
  expect(key.algorithm).toMatchObject({ name: 'AES-ECB', length: 256 });
  expect(peculiarSubtle()).toBe(peculiarSubtle());
  expect(peculiarSubtle()).toBeInstanceOf(new Crypto().subtle.constructor);
});

/** Run by Node itself, since `import()` of a real module needs a flag in jest. */
const PROGRAM = `
  const Rsa = require(${JSON.stringify(join(__dirname, '../../lib/crypto/rsa.ts'))});
  import('@peculiar/webcrypto').then(async ({ Crypto }) => {
    const algorithm = {
      name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]),
    };
    const pair = await new Crypto().subtle.generateKey(algorithm, false, ['sign', 'verify']);
    const known = pair.privateKey instanceof require('@peculiar/webcrypto').CryptoKey;
    console.log(known, await Rsa.verify('message', await Rsa.sign('message', pair.privateKey), pair.publicKey));
  });
`;

test('keys of the copy of @peculiar/webcrypto that "import" loads are taken too', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-r', 'esbuild-register', '-e', PROGRAM]);
  expect(stdout).toBe('false true\n');
}, 20_000);
