export { Builder } from './builder';
export type { CertificateCache } from './certificates';
export * as Certificates from './certificates';
export type {
  BrandConfig,
  ClientConfig,
  DownloadingConfig,
  MerchantConfig,
  SharedConfig,
  V2Config,
  V3Config,
} from './client';
export type { MerchantCertificate, TlsFile } from './client/base-dispatcher';
export type { Diagnostic } from './client/diagnostics';
export * as AesEcb from './crypto/aes-ecb';
export * as AesGcm from './crypto/aes-gcm';
export type { KeyInput, PrivateKey, PrivateKeyInput, PublicKey } from './crypto/keys';
export * as Rsa from './crypto/rsa';
export { type Bill, parseBill } from './download/bill';
export type * from './download/bill-rows';
export { checkDigest, type FileDigest } from './download/digest';
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
export type { ApiErrorInit } from './errors/api-error';
export type { BodyErrorCode } from './errors/body-error';
export type { OutcomeQuery } from './errors/outcome-query';
export type { SignatureErrorCode, SignatureErrorOptions } from './errors/signature-error';
export * as Transformer from './format/transformer';
export * as Invocation from './invocation';
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
export type { Interceptor } from './middleware/dispatch-options';
export type {
  AnyNotification,
  HandlerOptions,
  KnownNotification,
  NodeHandler,
  NotificationFunction,
  NotificationOptions,
  NotificationReceiver,
  NotificationRequest,
  NotificationStore,
  Reply,
  RequestParts,
  Reservation,
  V2Notification,
  V3Notification,
  WebHandler,
} from './notification';
export * as Notifications from './notification';
export type {
  BrandChain,
  BrandRoot,
  Chain,
  LiteralPaths,
  MerchantRoot,
  NeedsClientOfBrand,
  NeedsClientOfMerchant,
} from './openapi/chain';
export type {
  Call,
  DownloadCall,
  LooseCall,
  LooseNode,
  OptionalCall,
  OptionalDownloadCall,
  PathNode,
} from './openapi/node';
export type { NotificationOf, NotificationsByType, Notified } from './openapi/notification';
export type { RequestOf, ResponseOf, Verb, VerbOf } from './openapi/operation';
export type {
  CommonOptions,
  HeadersInput,
  HeadersWith,
  HeaderValue,
  LooseOptions,
  QueryObject,
  RawBody,
  Scalar,
  Timeouts,
  Upload,
  UploadOptions,
} from './openapi/options';
export type { ApiResponse, Download, DownloadPromise, ResponsePromise } from './openapi/response';
export type { FormText, HeldBy, JsonText } from './openapi/text';
export * as Sensitive from './sensitive';
export * as Formatter from './signature/formatter';
export type {
  DecryptFunction,
  ExternalKey,
  MerchantKeyInput,
  SignFunction,
  VerifyFunction,
} from './signature/functions';
export * as Hash from './signature/hash';
export type { Signatory } from './signature/scheme';
export { Media, type MediaFields, type MediaFile, type MediaOptions, type MediaSource } from './upload/media';
