import { WechatPayError } from '../errors';

/** How many frames of a caller are kept: each takes time at every call, for the few that fail. */
const FRAMES = 6;

/** Where a call was made: V8 makes text of it only where an error asks for that. */
export interface Caller {
  readonly stack?: unknown;
}

/**
 * Remembers where a call is made, since an error that comes later has no frame of it.
 * @param below the function whose callers are meant
 */
export function captureCaller(below: (...args: never[]) => unknown): Caller {
  const caller: Caller = {};
  const limit = Error.stackTraceLimit;
  // `Reflect.set`, since `Error` may be frozen.
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', FRAMES);
  Error.captureStackTrace(caller, below);
  if (limit > FRAMES) Reflect.set(Error, 'stackTraceLimit', limit);
  return caller;
}

/** Errors that have frames of a caller. Several calls may share one, such as that of a download of certificates. */
const told = new WeakSet<WechatPayError>();

/** Adds the frames of a caller to the stack of an error of our family, where they are not there already. */
export function withCaller(error: unknown, caller: Caller): unknown {
  if (!(error instanceof WechatPayError) || told.has(error)) return error;
  told.add(error);
  const stack = String(error.stack);
  const missing = framesOf(caller).filter((frame) => !stack.includes(frame));
  // An error of the caller's own functions may be frozen.
  if (missing.length > 0) Reflect.set(error, 'stack', [stack, ...missing].join('\n'));
  return error;
}

function framesOf(caller: Caller): readonly string[] {
  try {
    return String(caller.stack).match(/^ {4}at .*$/gm) ?? [];
  } catch {
    // A program may have an `Error.prepareStackTrace` of its own.
    return [];
  }
}
