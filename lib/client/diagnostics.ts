import { channel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { WireRequest } from './request';

/**
 * What is published on the diagnostics channel `wechatpay` for each request, and again for its answer or failure.
 * `NODE_DEBUG=wechatpay` prints the same, a line each. Neither has headers or bodies.
 */
export interface Diagnostic {
  phase: 'request' | 'answer' | 'failure';
  method: string;
  origin: string;
  /** Path and query. */
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
export function report({ method, origin, path: target }: WireRequest): ((outcome: Outcome) => void) | undefined {
  if (!debug.enabled && !published.hasSubscribers) return undefined;
  const start = performance.now();
  const request = { method, origin, target };
  publish({ phase: 'request', ...request });
  return (outcome) => {
    const milliseconds = Math.round(performance.now() - start);
    if (!('error' in outcome)) return publish({ phase: 'answer', ...request, milliseconds, ...outcome });
    const { name = 'Error', code = '' } = Object(outcome.error);
    return publish({ phase: 'failure', ...request, milliseconds, error: `${name} ${code}`.trim() });
  };
}

function publish(diagnostic: Diagnostic): void {
  published.publish(diagnostic);
  if (!debug.enabled) return;
  const { phase, method, origin, target, milliseconds, status, requestId, error } = diagnostic;
  const outcome = phase === 'request' ? [] : [status ?? error, requestId, `${milliseconds} ms`].filter(Boolean);
  debug('%s', [phase, method, origin + target, ...outcome].join(' '));
}
