/** Whose key encrypts a field of a request: WeChat Pay's, or that of v2's bank payments. */
export type EncryptionKey = 'platform' | 'pay-bank';

/** A field that is encrypted with RSA: `json.list[].name`; `[]` is each member of a list, `{}` the JSON in a text. */
export interface EncryptedField<Key = EncryptionKey> {
  readonly key: Key;
  readonly path: string;
}

/**
 * The query that tells what has become of a call whose response was lost. Members of options are written by their place:
 * `query.mchid`, and URI variables by their name.
 */
export interface Outcome {
  /** `post` for queries of v2. */
  readonly verb: 'get' | 'post';
  /** Its path, as a template. */
  readonly path: string;
  /** What it must be given: the place in its options, and the place in those of the call. */
  readonly take: Readonly<Record<string, string>>;
  /** Whose the thing is, taken likewise where the call has it. */
  readonly also?: Readonly<Record<string, string>>;
  /** What it is given in any case. */
  readonly fixed?: Readonly<Record<string, string | number | boolean>>;
  /** The place of the merchant number of the client itself. */
  readonly own?: string;
}

/** What the client has to know of an operation besides its path and verb. */
export interface Trait {
  /** Root of the API that the operation has of its own. */
  readonly base?: string;
  /** The merchant's TLS client certificate is needed. */
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
  /** Address of an operation that is not below the root of the API. */
  readonly url?: string;
  /** A redirect URL, for the user's browser; its fragment, or empty. */
  readonly redirect?: string;
  /** Fields of the options to encrypt. */
  readonly encrypt?: readonly EncryptedField[];
  /** Fields of the response to decrypt. */
  readonly decrypt?: readonly EncryptedField<'merchant'>[];
  /** The query that tells its outcome, of operations with a number of the merchant's own. */
  readonly outcome?: Outcome;
}
