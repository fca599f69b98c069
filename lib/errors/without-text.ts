/**
 * A safe `cause` for an error thrown by foreign code: its class, its code and its stack. The message is omitted, because
 * it may quote what was to be sent, as that of `JSON.parse` does.
 */
export function withoutText(thrown: unknown): Error {
  const { name, code, message, stack } = Object(thrown) as Partial<
    Record<'name' | 'code' | 'message' | 'stack', unknown>
  >;
  const cause = new Error('(message omitted: it may quote the request)');
  if (typeof name === 'string' && /^\w{1,40}$/.test(name)) cause.name = name;
  if (typeof code === 'string' && /^\w{1,60}$/.test(code)) Object.assign(cause, { code });
  const frames =
    String(stack)
      .replace(String(message), '')
      .match(/^ {4}at .*$/gm) ?? [];
  cause.stack = [`${cause.name}: ${cause.message}`, ...frames].join('\n');
  return cause;
}
