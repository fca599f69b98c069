import { codeOf } from '../crypto/bytes';
import { TimeoutError } from '../errors';

/**
 * Stores one string: in a file, or in a store shared by several machines. One cache serves one merchant.
 *
 * The string is WeChat Pay's response, still encrypted with the APIv3 key. It contains no secrets, and nobody without
 * that key can plant a certificate in it.
 */
export interface CertificateCache {
  /** Returns the string last written; undefined or null if there is none. */
  read(): string | null | undefined | Promise<string | null | undefined>;
  /** Replaces the stored string. */
  write(text: string): unknown;
}

/** How long to wait for a cache, in milliseconds. */
const PATIENCE = 2000;

/**
 * Runs one method of a cache. If it fails or hangs, a process warning reports that and the client carries on without it:
 * payments must not depend on a cache. The warning contains only the error code, because the message may contain the
 * password of a store.
 */
export async function tolerant<Result>(
  method: 'read' | 'write',
  run: () => Result | Promise<Result>,
): Promise<Result | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TimeoutError(`No response within ${PATIENCE} ms.`)), PATIENCE);
  });
  try {
    return await Promise.race([(async () => run())(), limit]);
  } catch (error) {
    warn(`${method}() failed (${codeOf(error)})`);
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

/** Warns that a cache is unusable. */
export function warn(issue: string): void {
  process.emitWarning(`"certificateCache": ${issue}; platform certificates are downloaded instead.`, {
    code: 'WECHATPAY_CERTIFICATE_CACHE',
  });
}
