import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { Agent, type Dispatcher } from 'undici';
import { ConfigurationError } from '../errors';

/**
 * Refuses a dispatcher that does not work with the interceptors of undici 7 and 8: values that are not dispatchers, and
 * those of undici 6, whose handlers have other methods. It checks without dispatching anything: a composed dispatcher of
 * undici 6 has a class of its own, while that of 7 and 8 is a proxy with the class of the original dispatcher.
 * @param name name of the option, for the error
 * @throws {@link ConfigurationError} if the dispatcher does not work
 */
export function readDispatcher(name: string, dispatcher: Dispatcher): Dispatcher {
  const { dispatch, compose } = Object(dispatcher) as Partial<Dispatcher>;
  if (typeof dispatch !== 'function') throw new ConfigurationError(`"${name}" must be an undici 7 or 8 dispatcher.`);
  if (typeof compose === 'function' && !isOfUndici6(dispatcher)) return dispatcher;
  throw new ConfigurationError(
    `"${name}" is an undici 6 (or older) dispatcher, which is not supported; create it with undici 7 or 8. ` +
      'The global dispatcher of Node.js 20 and 22 is one too, because they bundle undici 6.',
  );
}

function isOfUndici6(dispatcher: Dispatcher): boolean {
  const composed: object = dispatcher.compose([(dispatch) => (options, handler) => dispatch(options, handler)]);
  return composed.constructor?.name === 'ComposedDispatcher';
}

/** A TLS file: PEM text, a `file://` URL, or bytes. */
export type TlsFile = string | URL | Uint8Array;

/** The merchant's TLS client certificate, which some v2 operations require (`security: true`). */
export type MerchantCertificate =
  | { cert: TlsFile; key: TlsFile; passphrase?: string; ca?: TlsFile; dispatcher?: undefined }
  | { pfx: TlsFile; passphrase: string; ca?: TlsFile; dispatcher?: undefined }
  | {
      /** A dispatcher that presents the certificate, such as a `ProxyAgent` with `requestTls`. */
      dispatcher: Dispatcher;
    };

const LEGACY_HINT =
  'WeChat Pay issues it with RC2-40 encryption, which OpenSSL 3 cannot read. Convert it once: ' +
  'openssl pkcs12 -legacy -in apiclient_cert.p12 -nodes -out apiclient.pem, and pass cert and key.';

/**
 * Creates a separate dispatcher for requests that present the merchant's certificate.
 * @throws {@link ConfigurationError} if certificate and key cannot be read or do not belong together
 */
export function merchantDispatcher(merchant: MerchantCertificate): Dispatcher {
  if (merchant.dispatcher) return readDispatcher('merchant.dispatcher', merchant.dispatcher);
  const options: SecureContextOptions = {};
  const { passphrase, ...files } = merchant;
  for (const [name, file] of Object.entries(files)) Object.assign(options, { [name]: readFile(name, file) });
  if (passphrase !== undefined) options.passphrase = passphrase;
  if (!options.pfx && !(options.cert && options.key)) {
    throw new ConfigurationError('"merchant" must be { cert, key } or { pfx, passphrase }.');
  }
  try {
    createSecureContext(options);
  } catch (error) {
    throw new ConfigurationError(`"merchant" cannot be used for TLS. ${hintFor(Object(error), options)}`);
  }
  return new Agent({ connect: options });
}

/** Translates OpenSSL's terse messages. */
function hintFor({ message, code }: { message?: string; code?: string }, { pfx }: SecureContextOptions): string {
  const found = code ?? message ?? '';
  if (pfx && /unsupported/i.test(`${message}`)) return LEGACY_HINT;
  if (pfx && /mac verify failure/i.test(`${message}`))
    return 'The passphrase is wrong; for files issued by WeChat Pay it is the merchant ID.';
  if (pfx) return `The PKCS#12 file must be complete, and given as bytes or a file:// URL (${found}).`;
  if (/bad.decrypt|interrupted or cancelled/i.test(`${message}`))
    return 'The key is encrypted, and the passphrase is missing or wrong.';
  return `Certificate and key must be PEM text, a file:// URL or bytes, and belong together (${found}).`;
}

function readFile(name: string, file: TlsFile | undefined): string | Uint8Array | undefined {
  const isUrl = file instanceof URL || (typeof file === 'string' && file.startsWith('file:'));
  if (!isUrl) return file instanceof URL ? undefined : file;
  try {
    return readFileSync(fileURLToPath(file));
  } catch (cause) {
    throw new ConfigurationError(`"merchant.${name}" cannot be read: ${(cause as Error).message}.`, { cause });
  }
}
