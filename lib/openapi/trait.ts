/** Whose key encrypts a request field: WeChat Pay's, or that of v2's bank payments. */
export type EncryptionKey = 'platform' | 'pay-bank';

/** A field encrypted with RSA: `json.list[].name`; `[]` is each member of a list, `{}` the JSON in a string. */
export interface EncryptedField<Key = EncryptionKey> {
  readonly key: Key;
  readonly path: string;
}

/**
 * The query for the outcome of a call whose response was lost. Members of options are written as locations:
 * `query.mchid`, and URI variables by their name.
 */
export interface Outcome {
  /** `post` for v2 queries. */
  readonly verb: 'get' | 'post';
  /** Its path, as a template. */
  readonly path: string;
  /** Required values: the location in its options, and the location in those of the call. */
  readonly take: Readonly<Record<string, string>>;
  /** The owner, likewise, copied if the call has it. */
  readonly also?: Readonly<Record<string, string>>;
  /** Fixed values. */
  readonly fixed?: Readonly<Record<string, string | number | boolean>>;
  /** The location for the merchant id of the client. */
  readonly own?: string;
}

/** What the client needs to know of an operation besides its path and verb. */
export interface Trait {
  /** The operation's own base URL. */
  readonly base?: string;
  /** Requires the merchant's TLS client certificate. */
  readonly security?: boolean;
  /** v2: the request carries no `nonce_str`. */
  readonly nonceless?: boolean;
  /** The response carries no signature. */
  readonly unsigned?: boolean;
  /** The response is a file. */
  readonly download?: boolean;
  /** The request is a form with a file. */
  readonly upload?: boolean;
  /** v2: the response is JSON. */
  readonly json?: boolean;
  /** URL of an operation that is not below the base URL. */
  readonly url?: string;
  /** A redirect URL, for the user's browser; its fragment, or an empty string. */
  readonly redirect?: string;
  /** Option fields to encrypt. */
  readonly encrypt?: readonly EncryptedField[];
  /** Response fields to decrypt. */
  readonly decrypt?: readonly EncryptedField<'merchant'>[];
  /** The query for its outcome, for operations with a number of the merchant's own. */
  readonly outcome?: Outcome;
}
