export { decrypt, encrypt, type Padding } from './rsa-cipher';
export { from, fromPkcs1, fromPkcs8, fromSpki, pkcs1ToSpki } from './rsa-keys';
export { sign, verify } from './rsa-signature';
