export { Builder } from './builder';
export type { ClientConfig } from './client';
export type { KeyInput, PrivateKeyInput } from './crypto/key';
export * as Rsa from './crypto/rsa';
export {
  ApiError,
  BodyError,
  ConfigurationError,
  InvalidArgumentError,
  SignatureError,
  TimeoutError,
  TransportError,
  WechatPayError,
} from './errors';
export * as Formatter from './format/formatter';
export { type SignerConfig, signer, type VerifierConfig, verifier } from './middleware';
export type { Chain } from './openapi/chain';
export type { CommonOptions, LooseOptions } from './openapi/options';
export type { ApiResponse, ResponsePromise } from './openapi/response';
