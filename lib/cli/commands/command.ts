import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes';
import type { Io } from '../io';
import type { SettingName, Settings } from '../settings';

/** One command of `wxpay`. */
export interface CommandSpec {
  /** Name and arguments in the parser's notation: `request <verb> <path> [body]`. */
  readonly usage: string;
  readonly what: string;
  readonly settings: readonly SettingName[];
  /** Adds its own options and describes its arguments. */
  readonly configure?: (command: Command) => void;
  /** Text after the options in `--help`. */
  readonly help: string;
  /** Runs the command. @returns the exit code */
  run(call: CommandCall): Promise<ExitCode>;
}

/** The input of a command. */
export interface CommandCall {
  readonly io: Io;
  readonly args: readonly (string | undefined)[];
  /** Options, as parsed. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  readonly json: boolean;
}
