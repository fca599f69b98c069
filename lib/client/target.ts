import { InvalidArgumentError } from '../errors';
import { encodePath, encodeQuery, writeQuery } from '../format/query';
import { type Protocol, protocolOfPath } from '../openapi/protocol';

/** Where a request goes: built once, signed and sent as it stands here. */
export interface Target {
  protocol: Protocol;
  /** Scheme, host and port. */
  origin: string;
  /** Path and query, as in the request line. */
  path: string;
}

/** RFC 3986, appendix B: scheme, authority, path, query; the fragment is never sent. */
const REFERENCE = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/is;

/** A segment that means another one; servers read the encoded forms like the plain ones. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

/**
 * Resolves a path against the root of the API (RFC 3986, section 5).
 * @param reference path, or the whole URL, with its variables filled in
 * @param base root of the API
 * @param query the option of that name: it replaces the query of the path, unless it is undefined or null
 * @throws {@link InvalidArgumentError} where the URL is not one of http(s), or a path has an empty segment inside
 */
export function resolveTarget(reference: string, base: URL, query: unknown): Target {
  const protocol = protocolOfPath(reference);
  const address = protocol === 'v2' ? reference.slice('v2/'.length) : reference;
  const [, scheme, authority, path = '', ownQuery = ''] = REFERENCE.exec(address) ?? [];
  const isAbsolute = scheme !== undefined || authority !== undefined;
  // A whole URL is taken as WeChat Pay issued it.
  if (!isAbsolute) refuseEmptySegment(protocol === 'v2' ? `v2/${path}` : path);
  const encoded = encodePath(isAbsolute ? path || '/' : merge(base.pathname, path));
  const search = query === undefined || query === null ? encodeQuery(ownQuery) : writeQuery(query);
  return {
    protocol,
    origin: isAbsolute ? originOf(scheme ?? base.protocol.slice(0, -1), authority) : base.origin,
    path: removeDotSegments(encoded) + (search && `?${search}`),
  };
}

/** Refuses values of variables that make a dot segment, since they would lead to another operation. */
export function refuseDotSegments(template: string, expanded: string): void {
  if (countDotSegments(expanded) > countDotSegments(template.replace(/\{[^{}]+\}/g, 'x'))) {
    throw new InvalidArgumentError(`A value for "${template}" produces a "." or ".." path segment.`);
  }
}

/** A value that is empty would lead to another operation. A path may end in a slash, as two of WeChat Pay's do. */
function refuseEmptySegment(path: string): void {
  const at = path.indexOf('//');
  if (at < 0) return;
  throw new InvalidArgumentError(
    `The path "${path}" has an empty segment after "${path.slice(0, at)}", which would lead to another operation. ` +
      'Check the value that belongs there, or remove the second slash.',
  );
}

function countDotSegments(path: string): number {
  return path.split(/[/?#\\]/).filter((segment) => DOT_SEGMENT.test(segment)).length;
}

function originOf(scheme: string, authority: string | undefined): string {
  const url = `${scheme}://${authority ?? ''}`;
  if (!/^https?$/i.test(scheme) || !authority || authority.includes('@') || !URL.canParse(url)) {
    throw new InvalidArgumentError(
      `Not a WeChat Pay URL ("${scheme}:…"). Use the path only, such as "v3/certificates".`,
    );
  }
  return new URL(url).origin;
}

function merge(basePath: string, path: string): string {
  if (path.startsWith('/')) return path;
  return path === '' ? basePath : basePath.slice(0, basePath.lastIndexOf('/') + 1) + path;
}

function removeDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const segments = path.split('/').slice(1);
  const kept: string[] = [];
  segments.forEach((segment, index) => {
    const isDot = segment === '.' || segment === '..';
    if (segment === '..') kept.pop();
    if (!isDot) kept.push(segment);
    else if (index === segments.length - 1) kept.push('');
  });
  return `/${kept.join('/')}`;
}
