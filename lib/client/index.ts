export { createClient } from './client';
export type { ClientConfig } from './config';
