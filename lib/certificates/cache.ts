import { codeOf } from '../crypto/bytes';
import { TimeoutError } from '../errors';

/**
 * Keeps one text: in a file, or in a store that several machines share. One cache serves one merchant.
 *
 * The text is what WeChat Pay answered, still encrypted with the APIv3 key: there is nothing secret in it, and nobody
 * who lacks that key can put a certificate there.
 */
export interface CertificateCache {
  /** Gives what was written last; undefined or null where there is nothing. */
  read(): string | null | undefined | Promise<string | null | undefined>;
  /** Keeps a text in the place of the one before. */
  write(text: string): unknown;
}

/** How long a cache is waited for, in milliseconds. */
const PATIENCE = 2000;

/**
 * Runs one method of a cache. One that fails or hangs is told of by a warning of the process, and done without: payments
 * must not depend on it. Of the error the code alone is told, since the text may hold the password of a store.
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

/** Tells that a cache is of no use. */
export function warn(issue: string): void {
  process.emitWarning(`"certificateCache": ${issue}; platform certificates are downloaded instead.`, {
    code: 'WECHATPAY_CERTIFICATE_CACHE',
  });
}
