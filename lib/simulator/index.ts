export type { Coupon } from './coupons';
export type { SimulatorConfig } from './credentials';
export { fault } from './fault';
export type { Misbehaving, Misbehaviour } from './misbehaviour';
export type { Handler, ReceivedRequest, SimulatedRequest } from './request';
export type { Verb } from './routes';
export { Simulator, type SimulatorOptions } from './simulator';
