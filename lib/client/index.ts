export { createClient } from './client';
export { type BrandConfig, type ClientConfig, type LoadedConfig, loadConfig } from './config';
