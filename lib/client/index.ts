export { createClient } from './client';
export {
  type ClientConfig,
  type CommonConfig,
  type DownloadingConfig,
  type LoadedConfig,
  loadConfig,
  type V2Config,
  type V3Config,
} from './config';
