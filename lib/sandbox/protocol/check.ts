/** One thing that the platform looks at before it carries a request out, and whether it is as it should be. */
export interface Check {
  /**
   * APIv3: `headers`, `authorization`, `merchant`, `serial`, `timestamp`, `signature`, `nonce`; v2: `fields`, `merchant`,
   * `signature`; both: `certificate` (the merchant certificate, with TLS), `parameters`. What follows a failure was not
   * looked at.
   */
  readonly check: string;
  readonly ok: boolean;
}

/** What was looked at in this order, where that went well up to `failed`; without it, all of it did. */
export function checksUpTo(names: readonly string[], failed?: string): Check[] {
  const looked = failed === undefined ? names : names.slice(0, names.indexOf(failed) + 1);
  return looked.map((check) => ({ check, ok: check !== failed }));
}
