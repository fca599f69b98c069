import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import { printableLine } from '../errors';
import type { OutgoingRequest } from './request';

/**
 * What is published on the diagnostics channel `wechatpay` for each request, and again for its response or failure.
 * `NODE_DEBUG=wechatpay` prints the same, a line each. Neither has headers or bodies, nor the values of a query, which may
 * be secrets.
 */
export interface Diagnostic {
  phase: 'request' | 'response' | 'failure';
  method: string;
  origin: string;
  /** Path, and the names of the members of the query: `/cgi-bin/token?appid=…&secret=…`. */
  target: string;
  /** Since the request, in milliseconds. */
  milliseconds?: number;
  status?: number;
  requestId?: string | undefined;
  /** Name and code of the error. */
  error?: string;
}

type Outcome = Pick<Diagnostic, 'status' | 'requestId'> | { error: unknown };

const published = channel('wechatpay');
const debug = debuglog('wechatpay');

/** Reports a request; returns what reports its outcome, `undefined` where nobody listens. */
export function report({ method, origin, path: target }: OutgoingRequest): ((outcome: Outcome) => void) | undefined {
  if (!debug.enabled && !published.hasSubscribers) return undefined;
  const start = performance.now();
  const request = { method, origin, target: withoutValues(target) };
  publish({ phase: 'request', ...request });
  return (outcome) => {
    const milliseconds = Math.round(performance.now() - start);
    if (!('error' in outcome)) return publish({ phase: 'response', ...request, milliseconds, ...outcome });
    const { name = 'Error', code = '' } = Object(outcome.error);
    const error = printableLine(`${name} ${code}`.trim());
    return publish({ phase: 'failure', ...request, milliseconds, error });
  };
}

function publish(diagnostic: Diagnostic): void {
  published.publish(diagnostic);
  if (!debug.enabled) return;
  const { phase, method, origin, target, milliseconds, status, requestId, error } = diagnostic;
  const outcome = phase === 'request' ? [] : [status ?? error, requestId, `${milliseconds} ms`].filter(Boolean);
  debug('%s', printableLine([phase, method, origin + target, ...outcome].join(' ')));
}

/** No list of secret names would be complete: `secret`, `code`, `access_token`, `token` of files. */
function withoutValues(target: string): string {
  const [path = '', ...query] = target.split('?');
  if (query.length === 0) return path;
  return `${path}?${query.join('?').replace(/[^&]+/g, (pair) => (pair.includes('=') ? pair.replace(/=.*/, '=…') : '…'))}`;
}
