import { CommanderError } from 'commander';
import { codeOf } from '../crypto/bytes';
import { ApiError, printable, printableLine, SignatureError, WechatPayError } from '../errors';
import { hasColours, type Io, write } from './io';
import { inTermsOfSettings } from './settings';

/** What became of one check. A `warning` fails nothing. */
export type Outcome = 'passed' | 'failed' | 'warning' | 'skipped';

/** One check of `verify` or `doctor`. */
export interface Check {
  /** Stays the same between releases. */
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

/** Numbers of ECMA-48. */
const COLOURS = { red: 31, green: 32, yellow: 33, gray: 90 };

const MARKS: Readonly<Record<Outcome, readonly [mark: string, colour: keyof typeof COLOURS]>> = {
  passed: ['ok', 'green'],
  failed: ['FAILED', 'red'],
  warning: ['warning', 'yellow'],
  skipped: ['skipped', 'gray'],
};

/** Prints checks, a line each, or as JSON: `{ ok, checks, … }`. */
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

/** Prints one value as JSON, in which what a terminal would act on is escaped. */
export function printJson({ stdout }: Io, value: unknown): Promise<void> {
  return write(stdout, `${printable(JSON.stringify(value, null, 2))}\n`);
}

/** Tells of something on the standard error, where it is in nobody's way. */
export function note(io: Io, message: string): Promise<void> {
  return write(io.stderr, `wxpay: ${printableLine(message)}\n`);
}

/** Prints an error on the standard error: what is wrong, and what to do; as JSON: `{ error: { name, code, message, … } }`. */
export async function printError(io: Io, error: unknown, json: boolean, hint = ''): Promise<void> {
  const told = describe(error);
  if (json) return write(io.stderr, `${printable(JSON.stringify({ error: told }))}\n`);
  const { name, code, message, ...more } = told;
  const prefix = error instanceof ApiError || error instanceof SignatureError ? `${code}: ` : '';
  // The parser's own messages have lines; any other may repeat what a stranger has sent.
  const text = error instanceof CommanderError ? printable(message) : printableLine(prefix + message);
  const lines = Object.entries(more).map(
    ([key, value]) => `  ${key === 'requestId' ? 'Request-ID' : key}: ${printableLine(String(value))}\n`,
  );
  const label = paint(io, 'stderr', 'red', 'wxpay:');
  await write(io.stderr, `${label} ${text}\n${lines.join('')}${hint && `${hint}\n`}`);
}

/** The message of an error of the library; what is none is thrown on. */
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
  // Neither of the two has the message of the error, which may hold anything.
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

/** WeChat Pay's `detail` without the value that it objects to, which may be what nobody is to see. */
function objection(detail: unknown): object {
  const { field, issue, location } = Object(detail) as Record<string, unknown>;
  return dropUndefined({ field, issue, location });
}

/** The parser would repeat `--apiv3-kee=…`, key and all. */
function withoutValue(message: string): string {
  return message
    .replace(/^error: /, '')
    .replace(/unknown option '(--[^'=]+)=[\s\S]*?'(?=\n|$)/, "unknown option '$1'")
    .replace(/unknown option '(-[^-])[\s\S]*?'(?=\n|$)/, "unknown option '$1'");
}

/** Members that are undefined are left out; the type allows for that. */
function dropUndefined<T extends object>(object: T): T {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as T;
}

/** By hand: whether `styleText` of Node looks at the stream differs between its releases. */
function paint(io: Io, stream: 'stdout' | 'stderr', colour: keyof typeof COLOURS, text: string): string {
  return hasColours(io[stream], io.env) ? `\u001b[${COLOURS[colour]}m${text}\u001b[39m` : text;
}
