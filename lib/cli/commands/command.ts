import type { Command } from 'commander';
import type { ExitCode } from '../exit-codes';
import type { Io } from '../io';
import type { SettingName, Settings } from '../settings';

/** One command of `wxpay`. */
export interface CommandSpec {
  /** Name and arguments, as the parser has it: `request <verb> <path> [body]`. */
  readonly usage: string;
  readonly what: string;
  readonly settings: readonly SettingName[];
  /** Options of its own, and what its arguments are. */
  readonly configure?: (command: Command) => void;
  /** What follows the options in `--help`. */
  readonly help: string;
  /** Carries it out. @returns the exit code */
  run(call: CommandCall): Promise<ExitCode>;
}

/** What a command is called with. */
export interface CommandCall {
  readonly io: Io;
  readonly args: readonly (string | undefined)[];
  /** Options, as the parser gives them. */
  readonly options: Readonly<Record<string, unknown>>;
  readonly settings: Settings;
  readonly json: boolean;
}
