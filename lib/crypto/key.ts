export type { KeyUse } from './crypto-key';
export type { KeyInput } from './key-source';
export { loadPrivateKey, type PrivateKey, type PrivateKeyInput } from './private-key';
export { certificateOf, loadPublicKey, type PublicKey, serialOf } from './public-key';
