export type { Coupon } from './coupons';
export type { SimulatorConfig } from './credentials';
export { fault, type V2Fault, v2Fault } from './fault';
export type { UploadedFile } from './form';
export type { Misbehaving, Misbehaviour } from './misbehaviour';
export type { Handler, HandlerOptions, ReceivedRequest, SimulatedRequest } from './request';
export type { Verb } from './routes';
export { Simulator, type SimulatorOptions } from './simulator';
