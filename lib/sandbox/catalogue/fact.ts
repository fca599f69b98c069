export type Verb = 'get' | 'post' | 'put' | 'patch' | 'delete';

/** The type of a single value. */
export type ValueType = 'string' | 'integer' | 'number' | 'boolean' | 'object';

/** What is known of a field. */
export interface FactField {
  readonly name: string;
  readonly type: ValueType | `${ValueType}[]`;
  readonly required?: boolean;
  /** WeChat Pay's own short name of it, in Chinese. */
  readonly label?: string;
  /** Documented values, as strings even for numbers. */
  readonly enum?: readonly string[];
  /** In a request: no other values are valid. */
  readonly closed?: boolean;
  /** How it is encrypted: `rsa`, `aes-gcm`, `aes-ecb`. */
  readonly encrypted?: string;
  /** Whose key it is encrypted with: `platform`, `merchant`, `pay-bank`, … */
  readonly key?: string;
  /** A text that holds `fields` as JSON, or as a form. */
  readonly encoded?: 'json' | 'urlencode';
  /** Maximum length in characters. */
  readonly maxLength?: number;
  /** For a name that is listed more than once: the value of another field that selects this shape. */
  readonly when?: string;
  readonly fields?: readonly FactField[];
}

/** What is known of an operation. */
export interface Fact {
  /** Path as a template; a leading `v2/` names the protocol and is not part of the address. */
  readonly path: string;
  readonly verb: Verb;
  readonly protocol: 'v2' | 'v3' | 'brand';
  /** WeChat Pay's name of it, in Chinese. */
  readonly title: string;
  /** A page of the official documentation. */
  readonly link?: string;
  readonly auth?: 'brand';
  readonly upload?: boolean;
  readonly download?: boolean;
  readonly mtls?: boolean;
  readonly nonceless?: boolean;
  /** Its own base URL. */
  readonly base_uri?: string;
  /** A redirect URL: an address for the user's browser. */
  readonly redirect?: boolean;
  /** Its URL, if that is not below the base URL. */
  readonly url?: string;
  /** Status of success if not 200; the response is then empty. */
  readonly status?: number;
  readonly response_format?: 'json';
  readonly response_on_error_only?: boolean;
  readonly marks?: readonly string[];
  /** Rows `json`, `query`, `headers`, `xml`, `body`, and one for each variable of the path. */
  readonly request: readonly FactField[];
  readonly response: readonly FactField[];
}

/** What is known of a notification. */
export interface FactNotification {
  readonly name: string;
  readonly event_type?: string;
  readonly protocol: 'v2' | 'v3';
  readonly title: string;
  readonly link?: string;
  readonly resource_format?: 'json' | 'xml';
  /** Dotted path of the member with the ciphertext; without it, nothing is encrypted. */
  readonly encrypted_in?: string;
  readonly original_types?: readonly string[];
  readonly resource_types?: readonly string[];
  readonly variants?: readonly string[];
  readonly envelope: readonly FactField[];
  /** Fields of what is encrypted; the union of the `alternatives`, where there are any. */
  readonly resource: readonly FactField[];
  readonly alternatives?: readonly (readonly FactField[])[];
  readonly alternative_names?: readonly string[];
}

/** The templates of an operation's paths, as in the request line. */
export function addressesOf({ path, protocol, base_uri, url }: Pick<Fact, 'path' | 'protocol' | 'base_uri' | 'url'>) {
  const address = protocol === 'v2' ? path.slice('v2'.length) : `/${path}`;
  const root = base_uri === undefined ? '/' : new URL(base_uri).pathname;
  const below = root === '/' ? [] : [`${root.slice(0, -1)}${address}`];
  return [address, ...below, ...(url === undefined ? [] : [new URL(url).pathname])];
}
