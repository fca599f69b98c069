export { createClient } from './client';
export {
  type BrandConfig,
  type ClientConfig,
  type DownloadingConfig,
  type LoadedConfig,
  loadConfig,
  type MerchantConfig,
  type SharedConfig,
  type V2Config,
  type V3Config,
} from './config';
