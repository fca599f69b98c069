export { ApiError, type ApiErrorInit } from './api-error';
export { BodyError, type BodyErrorCode } from './body-error';
export { ConfigurationError } from './configuration-error';
export { InvalidArgumentError } from './invalid-argument-error';
export { SignatureError, type SignatureErrorCode, type SignatureErrorOptions } from './signature-error';
export { TimeoutError } from './timeout-error';
export { TransportError } from './transport-error';
export { UNKNOWN_OUTCOME } from './unknown-outcome';
export { WechatPayError } from './wechatpay-error';
