export { Builder } from './builder';
export type { CertificateCache } from './certificates';
export * as Certificates from './certificates';
export type { ClientConfig } from './client';
export type { Diagnostic } from './client/diagnostics';
export type { MerchantCertificate } from './client/merchant';
export * as AesEcb from './crypto/aes-ecb';
export * as AesGcm from './crypto/aes-gcm';
export type { DecryptFunction, ExternalKey, MerchantKeyInput, SignFunction, VerifyFunction } from './crypto/custom';
export * as Hash from './crypto/hash';
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
export * as Transformer from './format/transformer';
export * as Invocation from './invocation';
export { type Bill, parseBill } from './media/bill';
export type * from './media/bill-rows';
export { checkDigest, type FileDigest } from './media/digest';
export { Media, type MediaOptions, type MediaSource } from './media/media';
export {
  type FailoverOptions,
  failover,
  type RetryOptions,
  retry,
  type SignerConfig,
  signer,
  type V2SignerConfig,
  type V2VerifierConfig,
  type VerifierConfig,
  v2Signer,
  v2Verifier,
  verifier,
} from './middleware';
export {
  type AnyNotification,
  type HandlerOptions,
  Notification,
  type NotificationConfig,
  type NotificationRequest,
  type NotificationStore,
  type Notifications,
  type Reply,
  type Reservation,
  type V2Notification,
  type V3Notification,
} from './notification';
export type { Chain } from './openapi/chain';
export type { NotificationOf } from './openapi/notification';
export type { RequestOf, ResponseOf } from './openapi/operation';
export type { CommonOptions, LooseOptions, Timeouts } from './openapi/options';
export type { ApiResponse, Download, ResponsePromise } from './openapi/response';
export type { HeldBy } from './openapi/text';
export * as Sensitive from './sensitive';
