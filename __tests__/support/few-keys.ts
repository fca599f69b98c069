import crypto from 'node:crypto';
import { promisify } from 'node:util';

/** How many pairs a worker generates before it hands them out again, in turn: more than one file asks for. */
const PAIRS = 16;

const { generateKeyPairSync } = crypto;
const pairs: crypto.KeyPairKeyObjectResult[] = [];
let asked = 0;

/** RSA keys of 2048 bits come from a few; all others are generated, as ever. */
function keyPair(type: 'rsa', options: crypto.RSAKeyPairKeyObjectOptions): crypto.KeyPairKeyObjectResult {
  if (type !== 'rsa' || options.modulusLength !== 2048 || Object.keys(options).length !== 1) {
    return generateKeyPairSync(type, options);
  }
  const index = asked++ % PAIRS;
  pairs[index] ??= generateKeyPairSync(type, options);
  return pairs[index];
}

// Node's own modules are the same for all test files of a worker.
if (generateKeyPairSync.name !== keyPair.name) {
  const later = { [promisify.custom]: async (...args: Parameters<typeof keyPair>) => keyPair(...args) };
  Object.assign(crypto, {
    generateKeyPairSync: keyPair,
    generateKeyPair: Object.assign(crypto.generateKeyPair, later),
  });
}
