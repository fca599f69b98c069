import { InvalidArgumentError } from '../errors';
import { encodePath, encodeQuery, writeQuery } from '../format/query';
import { type Protocol, protocolOfPath } from '../openapi/protocol';

/** The target of a request: built once, then signed and sent unchanged. */
export interface Target {
  protocol: Protocol;
  /** Scheme, host and port. */
  origin: string;
  /** Path and query, as in the request line. */
  path: string;
}

/** RFC 3986, appendix B: scheme, authority, path, query; the fragment is never sent. */
const REFERENCE = /^(?:([a-z][a-z0-9+.-]*):)?(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/is;

/** Dot segments; servers treat the encoded forms like the plain ones. */
const DOT_SEGMENT = /^(?:\.|%2e){1,2}$/i;

/**
 * Resolves a path against the base URL (RFC 3986, section 5).
 * @param reference path, or absolute URL, with its variables filled in
 * @param base base URL
 * @param query the `query` option: it replaces the query of the path, unless it is undefined or null
 */
export function resolveTarget(reference: string, base: URL, query: unknown): Target {
  const protocol = protocolOfPath(reference);
  const address = protocol === 'v2' ? reference.slice('v2/'.length) : reference;
  const [, scheme, authority, path = '', ownQuery = ''] = REFERENCE.exec(address) ?? [];
  const isAbsolute = scheme !== undefined || authority !== undefined;
  const encoded = encodePath(isAbsolute ? path || '/' : merge(base.pathname, path));
  const search = query === undefined || query === null ? encodeQuery(ownQuery) : writeQuery(query);
  return {
    protocol,
    origin: isAbsolute ? originOf(scheme ?? base.protocol.slice(0, -1), authority) : base.origin,
    path: removeDotSegments(encoded) + (search && `?${search}`),
  };
}

/** Refuses variable values that produce a dot segment, because they would lead to another operation. */
export function refuseDotSegments(template: string, expanded: string): void {
  if (countDotSegments(expanded) > countDotSegments(template.replace(/\{[^{}]+\}/g, 'x'))) {
    throw new InvalidArgumentError(`A value for "${template}" produces a "." or ".." path segment.`);
  }
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
