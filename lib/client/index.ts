export { createClient } from './client';
export { type ClientConfig, type LoadedConfig, loadConfig } from './config';
