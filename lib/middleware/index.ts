export type { Interceptor } from './dispatch-options';
export { type SignerConfig, signer } from './signer';
export { type VerifierConfig, verifier } from './verifier';
