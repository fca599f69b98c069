import { CommanderError } from 'commander';
import {
  ApiError,
  BodyError,
  ConfigurationError,
  InvalidArgumentError,
  SignatureError,
  TimeoutError,
  TransportError,
} from '../errors';

/** The exit codes of the command, as printed by `--help`. */
export const EXIT_CODES = {
  0: 'success',
  1: 'WeChat Pay refused the request; or doctor found something to fix',
  2: 'the command, an option or an argument is invalid',
  3: 'the configuration is invalid: something is missing, or is not a key',
  4: 'a response or a notification cannot be trusted or decrypted',
  5: 'no connection, or no response in time; WeChat Pay may or may not have processed the request',
  6: 'a response is genuine, but its body is not as expected',
  70: 'an internal error in wxpay',
} as const;

export type ExitCode = keyof typeof EXIT_CODES;

const BY_CLASS: readonly [abstract new (...args: never) => Error, ExitCode][] = [
  [ApiError, 1],
  [InvalidArgumentError, 2],
  [CommanderError, 2],
  [ConfigurationError, 3],
  [SignatureError, 4],
  [TimeoutError, 5],
  [TransportError, 5],
  [BodyError, 6],
];

/** The exit code for an error. */
export function exitCodeOf(error: unknown): ExitCode {
  return BY_CLASS.find(([type]) => error instanceof type)?.[1] ?? 70;
}

/** The table for `--help`. */
export function exitCodesHelp(): string {
  return Object.entries(EXIT_CODES)
    .map(([code, meaning]) => `  ${code.padStart(2)}  ${meaning}`)
    .join('\n');
}
