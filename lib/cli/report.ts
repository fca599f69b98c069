import { CommanderError } from 'commander';
import { codeOf } from '../crypto/bytes';
import { ApiError, printable, printableLine, SignatureError, WechatPayError } from '../errors';
import { hasColours, type Io, write } from './io';
import { inTermsOfSettings } from './settings';

/** The outcome of one check. A `warning` is not a failure. */
export type Outcome = 'passed' | 'failed' | 'warning' | 'skipped';

/** One check of `verify` or `doctor`. */
export interface Check {
  /** Stable between releases. */
  readonly name: string;
  readonly outcome: Outcome;
  /** What was found, and what to do. */
  readonly message: string;
}

/** A check, by its outcome. */
const check =
  (outcome: Outcome) =>
  (name: string, message: string): Check => ({ name, outcome, message });
export const passed = check('passed');
export const failed = check('failed');
export const warning = check('warning');
export const skipped = check('skipped');

/** Colour codes of ECMA-48. */
const COLOURS = { red: 31, green: 32, yellow: 33, gray: 90 };

const MARKS: Readonly<Record<Outcome, readonly [mark: string, colour: keyof typeof COLOURS]>> = {
  passed: ['ok', 'green'],
  failed: ['FAILED', 'red'],
  warning: ['warning', 'yellow'],
  skipped: ['skipped', 'gray'],
};

/** Prints checks, one per line, or as JSON: `{ ok, checks, … }`. */
export async function printChecks(io: Io, checks: readonly Check[], json: boolean, more: object = {}): Promise<void> {
  if (json) return printJson(io, { ok: allPassed(checks), checks, ...more });
  const width = Math.max(...checks.map(({ name }) => name.length));
  for (const { name, outcome, message } of checks) {
    const [mark, colour] = MARKS[outcome];
    const told = printableLine(message);
    await write(io.stdout, `${paint(io, 'stdout', colour, mark.padEnd(7))}  ${name.padEnd(width)}  ${told}\n`);
  }
}

/** Whether no check failed. */
export function allPassed(checks: readonly Check[]): boolean {
  return checks.every(({ outcome }) => outcome !== 'failed');
}

/** Prints one value as JSON and escapes characters that control a terminal. */
export function printJson({ stdout }: Io, value: unknown): Promise<void> {
  return write(stdout, `${printable(JSON.stringify(value, null, 2))}\n`);
}

/** Prints a note on stderr, so that stdout stays clean. */
export function note(io: Io, message: string): Promise<void> {
  return write(io.stderr, `wxpay: ${printableLine(message)}\n`);
}

/** Prints an error on stderr: what is wrong and what to do; as JSON: `{ error: { name, code, message, … } }`. */
export async function printError(io: Io, error: unknown, json: boolean, hint = ''): Promise<void> {
  const told = describe(error);
  if (json) return write(io.stderr, `${printable(JSON.stringify({ error: told }))}\n`);
  const { name, code, message, ...more } = told;
  const prefix = error instanceof ApiError || error instanceof SignatureError ? `${code}: ` : '';
  // Only the parser's own messages have several lines; others may repeat untrusted input.
  const text = error instanceof CommanderError ? printable(message) : printableLine(prefix + message);
  const lines = Object.entries(more).map(
    ([key, value]) => `  ${key === 'requestId' ? 'Request-ID' : key}: ${printableLine(String(value))}\n`,
  );
  const label = paint(io, 'stderr', 'red', 'wxpay:');
  await write(io.stderr, `${label} ${text}\n${lines.join('')}${hint && `${hint}\n`}`);
}

/** The message of an error of the library; other errors are rethrown. */
export function messageOf(error: unknown): string {
  if (error instanceof WechatPayError) return inTermsOfSettings(error.message);
  throw error;
}

interface Described {
  name: string;
  code: string;
  message: string;
  [member: string]: unknown;
}

function describe(error: unknown): Described {
  if (error instanceof ApiError) {
    const { name, code, message, status, requestId, request } = error;
    return dropUndefined({
      name,
      code,
      message,
      status,
      requestId,
      request,
      ...objection(error.detail),
      ...queryOf(error),
    });
  }
  if (error instanceof SignatureError) {
    const { name, code, message, serial, requestId, probe } = error;
    return dropUndefined({
      name,
      code,
      message: inTermsOfSettings(message),
      serial,
      requestId,
      ...(probe && { probe }),
      ...queryOf(error),
    });
  }
  if (error instanceof WechatPayError) {
    return { name: error.name, code: error.code, message: inTermsOfSettings(error.message), ...queryOf(error) };
  }
  if (error instanceof CommanderError) {
    return { name: 'UsageError', code: 'ERR_USAGE', message: withoutValue(error.message) };
  }
  // Neither contains the message of the error, which may contain anything.
  const code = codeOf(error);
  const stack = String(Object(error).stack)
    .match(/^ {4}at .*$/gm)
    ?.map((frame) => frame.trim());
  return { name: 'Error', code, message: `Internal error in wxpay (${code}); please report it.`, stack };
}

/** The query that tells the outcome, as the arguments of `wxpay request` have it. */
function queryOf({ query }: WechatPayError): object {
  return query ? { query: `${query.verb} ${query.path}` } : {};
}

/** WeChat Pay's `detail` without the rejected value, which may be confidential. */
function objection(detail: unknown): object {
  const { field, issue, location } = Object(detail) as Record<string, unknown>;
  return dropUndefined({ field, issue, location });
}

/** Without this, the parser would repeat `--apiv3-kee=…`, including the key. */
function withoutValue(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/unknown option '(--[^'=]+)=[\s\S]*?'(?=\n|$)/, "unknown option '$1'")
    .replace(/unknown option '(-[^-])[\s\S]*?'(?=\n|$)/, "unknown option '$1'");
}

/** Omits members that are undefined, as the type requires. */
function dropUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** Not with `styleText`: whether it checks the stream differs between Node.js releases. */
function paint(io: Io, stream: 'stdout' | 'stderr', colour: keyof typeof COLOURS, text: string): string {
  return hasColours(io[stream], io.env) ? `\u001b[${COLOURS[colour]}m${text}\u001b[39m` : text;
}
