import type { CommonOptions } from './options';
import type { Trait } from './trait-of';

/** The options of a call, with URI variables as further members. */
export type Options = CommonOptions & Record<string, unknown>;

export type OptionName = keyof CommonOptions | 'json' | 'xml' | 'query' | 'body';

/** Every option, and whether it is a boolean; other checks happen where the option is used. */
export const OPTIONS: Readonly<Record<OptionName, 'flag' | 'value'>> = {
  json: 'value',
  xml: 'value',
  query: 'value',
  headers: 'value',
  body: 'value',
  baseUrl: 'value',
  timeout: 'value',
  retry: 'flag',
  signal: 'value',
  security: 'flag',
  nonceless: 'flag',
  download: 'flag',
  unsigned: 'flag',
  digest: 'value',
  maxBuffer: 'value',
  encrypted: 'flag',
  variables: 'value',
};

/** The names of the options. */
export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS);

/** A parsed call: its path with the variables filled in, and what is known of its operation. */
export interface Call {
  verb: string;
  /** The path, or absolute URL, with its variables filled in. */
  path: string;
  options: Options;
  trait: Trait;
  /** The variables of the path, by name. */
  variables: Readonly<Record<string, unknown>>;
  /** The id of the WeChat Pay key that encrypted fields of the call. */
  serial?: string | undefined;
}
