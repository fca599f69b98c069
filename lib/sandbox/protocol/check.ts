/** A check that the platform makes before it processes a request, and its verdict. */
export interface Check {
  /**
   * APIv3: `headers`, `authorization`, `merchant`, `serial`, `timestamp`, `signature`, `nonce`; v2: `fields`, `merchant`,
   * `signature`; both: `certificate` (the merchant certificate, with TLS), `parameters`. What follows a failure was not
   * looked at.
   */
  readonly check: string;
  readonly ok: boolean;
}

/** The checks in this order: those before `failed` passed; without it, all did. */
export function checksUpTo(names: readonly string[], failed?: string): Check[] {
  const looked = failed === undefined ? names : names.slice(0, names.indexOf(failed) + 1);
  return looked.map((check) => ({ check, ok: check !== failed }));
}
