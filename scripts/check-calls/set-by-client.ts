/** Rows of a request that are not options of this client, or that its table of traits covers. */
const ROWS: ReadonlySet<string> = new Set([
  'base_uri',
  'security',
  'nonceless',
  'fragment',
  'timeout',
  'wechatpay-serial',
]);

/** Whether the client sets an option or a header of this name. */
export function isSetByClient({ name }: { name: string }): boolean {
  return ROWS.has(name.toLowerCase());
}

/** v2: whether the client adds this field itself. */
export function isSignedByClient(name: string): boolean {
  return name === 'sign' || name === 'nonce_str';
}
