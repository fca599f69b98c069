import { createHash } from 'node:crypto';

/** A part of the signed text, as it may be by mistake. */
export interface Variant<Value> {
  /** Short name, such as `body-compact`; empty if it is correct. */
  readonly name: string;
  /** What was signed instead. */
  readonly text: string;
  readonly value: Value;
}

/** The five lines of the text that is signed. */
export interface Lines {
  readonly method: string;
  readonly target: string;
  readonly timestamp: string;
  readonly nonce: string;
  readonly body: Buffer;
}

const of = <Value>(name: string, text: string, value: Value): Variant<Value> => ({ name, text, value });

/** Tries what some input makes impossible. */
export function attempt<Value>(make: () => Value): Value | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

/** Common mistakes in the method. */
export function methods(method: string): Variant<string>[] {
  const others = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'].filter((other) => other !== method);
  return [
    of('method-case', `the method in lower case; it must be ${method}`, method.toLowerCase()),
    of(
      'method-case',
      `the method as "${method[0]}${method.slice(1).toLowerCase()}"; it must be ${method}`,
      title(method),
    ),
    ...others.flatMap((other) => [
      of('method-other', `the method ${other}; the request was sent as ${method}`, other),
      of('method-other', `the method "${other.toLowerCase()}"; the request was sent as ${method}`, other.toLowerCase()),
    ]),
  ];
}

function title(method: string): string {
  return method.slice(0, 1) + method.slice(1).toLowerCase();
}

/** Common mistakes in path and query. @param host the header `Host` */
export function targets(target: string, host = ''): Variant<string>[] {
  const [path = '', ...rest] = target.split('?');
  const query = rest.length > 0 ? rest.join('?') : undefined;
  const withQuery = (other: string) => (query === undefined ? other : `${other}?${query}`);
  const wholes = [`http://${host}`, `https://${host}`, 'https://api.mch.weixin.qq.com', host];
  const bare = path.replace(/^\/(?:v3|hk|global)\//, '/');
  return [
    ...(query === undefined ? [] : queries(path, query)),
    ...wholes.map((whole) =>
      of('target-url', `the whole URL; only path and query are signed: ${target}`, whole + target),
    ),
    ...wholes.map((whole) => of('target-url', `the URL without its query; what is signed is ${target}`, whole + path)),
    of('target-prefix', `the path without its first segment; what is signed is ${target}`, withQuery(bare)),
    of('target-prefix', `the path with /v3 before it; what is signed is ${target}`, `/v3${target}`),
    of('target-slash', 'the path without its leading slash', target.slice(1)),
    of('target-slash', 'the path with a slash at its end; the request has none', withQuery(`${path}/`)),
    of('target-slash', 'the path without the slash at its end', withQuery(path.replace(/\/$/, ''))),
    of('target-decoded', 'path and query decoded; they are signed as they are sent', decoded(target)),
    of('target-encoded', 'path and query encoded otherwise than they were sent', encodeURI(decoded(target))),
    of('target-encoded', 'the path encoded once more; it is signed as it is sent', encodeURI(target)),
    of('target-question-mark', 'a "?" at the end; the request has none', `${target}?`),
    of('target-question-mark', 'the path without the "?" at its end', target.replace(/\?$/, '')),
    of('target-empty', 'no path', ''),
    of('target-empty', 'the path "/"', '/'),
  ];
}

function queries(path: string, query: string): Variant<string>[] {
  const pairs = query.split('&');
  const parsed = [...new URLSearchParams(query)];
  const strict = (text: string) =>
    encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  const reencoded = [
    new URLSearchParams(parsed).toString(),
    parsed.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&'),
    parsed.map(([name, value]) => `${strict(name)}=${strict(value)}`).join('&'),
    parsed
      .map(([name, value]) => `${strict(name)}=${strict(value)}`)
      .join('&')
      .replace(/%20/g, '+'),
    parsed.map(([name, value]) => `${name}=${encodeURI(value)}`).join('&'),
    query.replace(/%[0-9a-f]{2}/gi, (code) => code.toLowerCase()),
    query.replace(/%[0-9a-f]{2}/gi, (code) => code.toUpperCase()),
  ];
  const orders = pairs.length <= 5 ? permutations(pairs) : [[...pairs].sort(), [...pairs].reverse()];
  return [
    of('query-missing', `the path without its query; the query is signed, too: ?${query}`, path),
    of('query-question-mark', 'the query without its "?"', path + query),
    of('query-decoded', 'the query decoded; it is signed as it is sent', `${path}?${decoded(query)}`),
    of(
      'query-decoded',
      'the query decoded; it is signed as it is sent',
      `${path}?${decoded(query.replace(/\+/g, ' '))}`,
    ),
    ...reencoded.map((other) =>
      of('query-encoded', 'the query encoded otherwise than it was sent', `${path}?${other}`),
    ),
    ...orders.map((order) =>
      of('query-order', 'the query in another order than it was sent', `${path}?${order.join('&')}`),
    ),
    of('query-duplicate', 'the query twice', `${path}?${query}?${query}`),
    of('query-html', 'the query with "&amp;" in the place of "&"', `${path}?${query.replaceAll('&', '&amp;')}`),
  ];
}

function decoded(text: string): string {
  return attempt(() => decodeURIComponent(text)) ?? text;
}

/** All permutations of a few items. */
export function permutations<Item>(items: readonly Item[]): Item[][] {
  if (items.length < 2) return [[...items]];
  return items.flatMap((item, i) =>
    permutations([...items.slice(0, i), ...items.slice(i + 1)]).map((rest) => [item, ...rest]),
  );
}

/** Common mistakes in the body. @param whole the whole upload, of which `body` is the part `meta` */
export function bodies(body: Buffer, query: URLSearchParams, whole?: Buffer): Variant<Buffer>[] {
  const text = body.toString();
  const value: unknown = body.length > 0 ? attempt(() => JSON.parse(text)) : undefined;
  const literal = ['{}', 'null', 'undefined', '[]', '""', 'false', '[object Object]'];
  const asText = (name: string, what: string, other: string) => of(name, what, Buffer.from(other));
  const meant = whole ? 'the part meta' : 'the body';
  const parameters = Object.fromEntries(query);
  return [
    asText(
      'line-feed-more',
      `one line feed too many at the end: after ${meant} comes one, and that is all`,
      `${text}\n`,
    ),
    ...(body.length > 0 ? [asText('body-empty', `an empty body; ${meant} is signed as it is sent`, '')] : []),
    ...literal.map((other) =>
      asText('body-literal', `"${other}" as the body, which ${body.length > 0 ? 'is another' : 'is empty'}`, other),
    ),
    ...(whole
      ? [of('upload-whole', 'the whole multipart body; of an upload only the part meta is signed', whole)]
      : []),
    ...serialised(value).map(([name, what, other]) =>
      asText(name, `${meant} ${what}; it is signed as it is sent, byte for byte`, other),
    ),
    ...(query.size > 0
      ? [
          ...serialised(parameters).map(([, , other]) =>
            asText('body-query', 'the query as JSON in the place of a body; the body is what is sent', other),
          ),
          asText('body-query', 'the query in the place of a body; the body is what is sent', query.toString()),
        ]
      : []),
    asText('body-whitespace', `${meant} without the white space around it`, text.trim()),
    ...['\r\n', ' ', '\0'].map((end) => asText('body-whitespace', `${meant} with white space after it`, text + end)),
    asText('body-whitespace', `${meant} with LF line ends`, text.replace(/\r\n/g, '\n')),
    asText('body-whitespace', `${meant} with CRLF line ends`, text.replace(/\r?\n/g, '\r\n')),
    asText('body-bom', `${meant} with a byte order mark`, `\ufeff${text}`),
    asText('body-bom', `${meant} without its byte order mark`, text.replace(/^\ufeff/, '')),
    of('body-charset', `${meant} encoded as Latin-1; it must be UTF-8`, Buffer.from(text, 'latin1')),
    of('body-charset', `${meant} encoded as UTF-8 twice`, Buffer.from(body.toString('latin1'))),
    of('body-charset', `${meant} encoded as UTF-16`, Buffer.from(text, 'utf16le')),
    asText('body-charset', `${meant} with "?" in the place of what is not ASCII`, text.replace(/[^\0-\x7f]/g, '?')),
    asText('body-encoded', `${meant} in Base64`, body.toString('base64')),
    ...['md5', 'sha1', 'sha256'].map((hash) =>
      asText('body-hash', `the ${hash} of the body in its place`, createHash(hash).update(body).digest('hex')),
    ),
  ];
}

/** How libraries write JSON. */
function serialised(value: unknown): [name: string, text: string, json: string][] {
  if (value === undefined) return [];
  const compact = JSON.stringify(value);
  const sorted = sortedValue(value);
  const shapes: [string, unknown][] = [['', value]];
  if (JSON.stringify(sorted) !== compact) shapes.push([' and with its members sorted', sorted]);
  for (const order of orders(value)) shapes.push([' and with its members in another order', order]);
  return [
    ...shapes.flatMap(([order, shape]) => written(shape).map(([what, json]) => named(order, what, json))),
    ['body-quoted', 'as a JSON text in a JSON text', JSON.stringify(compact)],
    ['body-form', 'as a form', new URLSearchParams(flat(value)).toString()],
  ];
}

function named(order: string, what: string, json: string): [string, string, string] {
  return [order === '' ? 'body-serialised' : 'body-order', `serialised again: ${what}${order}`, json];
}

function written(value: unknown): [what: string, json: string][] {
  const compact = JSON.stringify(value) ?? '';
  const python = spaced(compact);
  const ascii = (text: string) =>
    text.replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const slashes = (text: string) => text.replaceAll('/', '\\/');
  const html = (text: string) => text.replace(/[<>&]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  return [
    ['without spaces, as JSON.stringify and most libraries do', compact],
    ['with spaces after "," and ":" and with \\u escapes, as json.dumps of Python does', ascii(python)],
    ['with spaces after "," and ":", as json.dumps(ensure_ascii=False) of Python does', python],
    ['with \\u escapes and "\\/", as json_encode of PHP does', slashes(ascii(compact))],
    ['with \\u escapes', ascii(compact)],
    ['with "\\/"', slashes(compact)],
    ['with <, > and & escaped, as encoding/json of Go does', html(compact)],
    ['with <, > and & escaped and a line feed at the end, as json.Encoder of Go does', `${html(compact)}\n`],
    ...[2, 4, '\t'].map((indent): [string, string] => ['indented', JSON.stringify(value, null, indent) ?? '']),
    ['with a space after ":"', spaced(compact, ',', ': ')],
    ['with a space after ","', spaced(compact, ', ', ':')],
  ];
}

/** Puts spaces between the tokens of compact JSON. */
function spaced(json: string, comma = ', ', colon = ': '): string {
  return json.replace(/"(?:[^"\\]|\\.)*"|[,:]/g, (token) => (token === ',' ? comma : token === ':' ? colon : token));
}

function sortedValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedValue);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(entries.map(([name, member]) => [name, sortedValue(member)]));
}

/** An object with its members in every other order, if there are few. */
function orders(value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const entries = Object.entries(value);
  if (entries.length > 5) return [Object.fromEntries([...entries].reverse())];
  return permutations(entries)
    .slice(1)
    .map((order) => Object.fromEntries(order));
}

function flat(value: unknown): Record<string, string> {
  return Object.fromEntries(Object.entries(Object(value)).map(([name, member]) => [name, String(member)]));
}

/** Common mistakes in the time: milliseconds, or another second than that of the header. */
export function timestamps(timestamp: string): Variant<string>[] {
  const time = Number(timestamp);
  const thousand = Array.from({ length: 1000 }, (_, i) => i);
  return [
    of('timestamp-missing', 'no timestamp', ''),
    ...thousand.map((i) =>
      of(
        'timestamp-milliseconds',
        'a timestamp in milliseconds; it must be in seconds, the same as in the header',
        `${time * 1000 + i}`,
      ),
    ),
    ...thousand
      .slice(1, 302)
      .flatMap((i) =>
        [time + i, time - i].map((other) =>
          of(
            'timestamp-other',
            `the timestamp ${other}; the header has ${timestamp}: take the time once for both`,
            `${other}`,
          ),
        ),
      ),
  ];
}

/** Common mistakes in the nonce. An entirely different one cannot be found. */
export function nonces(nonce: string): Variant<string>[] {
  const text = (what: string) => `the nonce ${what}; it must be the same as in the header`;
  return [
    of('nonce-case', text('in lower case'), nonce.toLowerCase()),
    of('nonce-case', text('in upper case'), nonce.toUpperCase()),
    of('nonce-missing', 'no nonce', ''),
  ];
}

/** How five lines become one text. */
export type Layout = (lines: Lines) => Buffer;

function joined(between: string, end: string): Layout {
  return ({ method, target, timestamp, nonce, body }) =>
    Buffer.concat([
      Buffer.from(`${[method, target, timestamp, nonce].join(between)}${between}`),
      body,
      Buffer.from(end),
    ]);
}

/** The correct text: every line ends with a line feed, including the last. */
export const RIGHT: Layout = joined('\n', '\n');

/** Common mistakes in joining the lines. */
export function layouts(): Variant<Layout>[] {
  const names = ['method', 'path', 'timestamp', 'nonce', 'body'];
  const inOrder =
    (order: readonly number[]): Layout =>
    ({ method, target, timestamp, nonce, body }) => {
      const parts = [method, target, timestamp, nonce, body];
      return Buffer.concat(order.flatMap((i) => [Buffer.from(parts[i] ?? ''), Buffer.from('\n')]));
    };
  const rightOrder = 'method, path, timestamp, nonce, body';
  const hashed =
    (encoding?: 'hex' | 'base64'): Layout =>
    (lines) => {
      const digest = createHash('sha256').update(RIGHT(lines)).digest();
      return encoding ? Buffer.from(digest.toString(encoding)) : digest;
    };
  return [
    of(
      'line-feed-last',
      'the text without the line feed at its end; each of the five lines ends with one',
      joined('\n', ''),
    ),
    of('line-feed-crlf', 'lines that end with CRLF ("\\r\\n"); they must end with LF ("\\n")', joined('\r\n', '\r\n')),
    of(
      'line-feed-crlf',
      'lines that end with CRLF ("\\r\\n"), the last one without; they must end with LF ("\\n")',
      joined('\r\n', ''),
    ),
    of('line-feed-crlf', 'lines that end with CR ("\\r"); they must end with LF ("\\n")', joined('\r', '\r')),
    of(
      'line-feed-literal',
      'a backslash and an "n" in the place of line feeds: the string is not interpreted',
      joined('\\n', '\\n'),
    ),
    of(
      'line-feed-literal',
      'a backslash and an "n" in the place of line feeds: the string is not interpreted',
      joined('\\n', ''),
    ),
    of('line-feed-missing', 'the text without line feeds', joined('', '')),
    of('line-feed-missing', 'the text with spaces in the place of line feeds', joined(' ', '')),
    of('line-feed-missing', 'the text with commas in the place of line feeds', joined(',', '')),
    of('line-feed-missing', 'the text with "&" in the place of line feeds', joined('&', '')),
    of('line-missing', 'four lines; the empty line of the body is missing', (lines) => inOrder([0, 1, 2, 3])(lines)),
    of('line-missing', 'the text of a response: timestamp, nonce, body', (lines) => inOrder([2, 3, 4])(lines)),
    of('line-missing', 'the body alone', ({ body }) => body),
    ...permutations([0, 1, 2, 3, 4])
      .slice(1)
      .map((order) =>
        of(
          'line-order',
          `the lines in the order ${order.map((i) => names[i]).join(', ')}; it must be ${rightOrder}`,
          inOrder(order),
        ),
      ),
    of('hashed-twice', 'the SHA-256 of the text: the function that signs hashes it itself', hashed()),
    of(
      'hashed-twice',
      'the SHA-256 of the text in hexadecimal: the function that signs hashes it itself',
      hashed('hex'),
    ),
    of('hashed-twice', 'the SHA-256 of the text in Base64: the function that signs hashes it itself', hashed('base64')),
  ];
}
