import { WechatPayError } from '../errors';

/** How many frames of a caller to keep: each costs time on every call, for the few that fail. */
const FRAMES = 6;

/** Where a call was made. V8 formats it only when an error needs it. */
export interface Caller {
  readonly stack?: unknown;
}

/**
 * Records where a call is made, because a later error has no frame of it.
 * @param below the function whose callers to record
 */
export function captureCaller(below: (...args: never[]) => unknown): Caller {
  const caller: Caller = {};
  const limit = Error.stackTraceLimit;
  // `Reflect.set`, because `Error` may be frozen.
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', FRAMES);
  Error.captureStackTrace(caller, below);
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', limit);
  return caller;
}

/** Errors that already have frames of a caller. Several calls may share one, such as that of a certificate download. */
const told = new WeakSet<WechatPayError>();

/** Appends the frames of a caller to the stack of one of our errors, unless it has them already. */
export function withCaller(error: unknown, caller: Caller): unknown {
  if (!(error instanceof WechatPayError) || told.has(error)) return error;
  told.add(error);
  const stack = String(error.stack);
  const missing = framesOf(caller).filter((frame) => !stack.includes(frame));
  // An error from the caller's own functions may be frozen.
  if (missing.length > 0) Reflect.set(error, 'stack', [stack, ...missing].join('\n'));
  return error;
}

function framesOf(caller: Caller): readonly string[] {
  try {
    return String(caller.stack).match(/^ {4}at .*$/gm) ?? [];
  } catch {
    // A program may have its own `Error.prepareStackTrace`.
    return [];
  }
}
