export { createClient } from './client';
export { type ClientConfig, loadConfig } from './config';
