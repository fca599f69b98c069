export type { Interceptor } from './dispatch-options';
export { type FailoverOptions, failover } from './failover';
export { type RetryOptions, retry } from './retry';
export { type V2SignerConfig, v2Signer } from './v2-signer';
export { type V2VerifierConfig, v2Verifier } from './v2-verifier';
export { type SignerConfig, signer } from './v3-signer';
export { type VerifierConfig, verifier } from './v3-verifier';
