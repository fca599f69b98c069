import { Command, CommanderError } from 'commander';
import { VERSION } from '../version';
import { certificatesCommand } from './commands/certificates';
import type { CommandCall, CommandSpec } from './commands/command';
import { doctorCommand } from './commands/doctor';
import { requestCommand } from './commands/request';
import { sandboxCommand } from './commands/sandbox';
import { verifyCommand } from './commands/verify';
import { exitCodeOf, exitCodesHelp } from './exit-codes';
import type { Io } from './io';
import { note, printError } from './report';
import { readSettings, settingOptions, settingsHelp } from './settings';

const COMMANDS: readonly CommandSpec[] = [
  requestCommand,
  certificatesCommand,
  verifyCommand,
  doctorCommand,
  sandboxCommand,
];

const HELP = `
Environment (a key is given as its text or as the name of a file that contains it):
${settingsHelp()}
  NO_COLOR                 no colours (only a terminal gets them in any case)

Exit codes:
${exitCodesHelp()}

Examples:
  $ wxpay sandbox
  $ wxpay doctor
  $ wxpay request get v3/certificates
  $ wxpay request --help`;

/**
 * Runs the `wxpay` command.
 * @param argv the arguments, without the names of Node and of the script
 * @returns the exit code, one of `EXIT_CODES`; all output has been printed
 */
export async function main(argv: readonly string[], io: Io): Promise<number> {
  let code = 0;
  const program = new Command('wxpay')
    .description('WeChat Pay from the shell: signed requests, verified responses.')
    .version(VERSION, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help for a command')
    .addHelpText('after', HELP)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.write(text),
      writeErr: (text) => void io.stderr.write(text),
      // Errors are printed below.
      outputError: () => {},
      getOutHelpWidth: () => 110,
      getOutHasColors: () => false,
    });
  for (const spec of COMMANDS) {
    addCommand(
      program,
      spec,
      async (call) => {
        code = await spec.run(call);
      },
      io,
    );
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    // Help and version are thrown as errors too; only help without a command is a real error.
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (error instanceof CommanderError && error.code === 'commander.help') return 2;
    await printError(io, error, argv.includes('--json'), hintOf(error, argv));
    return exitCodeOf(error);
  }
  return code;
}

function addCommand(program: Command, spec: CommandSpec, run: (call: CommandCall) => Promise<void>, io: Io): void {
  const command = program.command(spec.usage).description(spec.what).addHelpText('after', `\n${spec.help}`);
  spec.configure?.(command);
  command.option('--json', 'print JSON for scripts, including errors');
  for (const option of settingOptions(spec.settings)) command.addOption(option);
  command.action(async () => {
    const options = command.opts();
    const json = options.json === true;
    const settings = readSettings(options, io.env, (message) => void note(io, message));
    await run({ io, args: command.args, options, settings, json });
  });
}

function hintOf(error: unknown, argv: readonly string[]): string {
  if (!(error instanceof CommanderError)) return '';
  const name = COMMANDS.map(({ usage }) => usage.split(' ', 1)[0] ?? '').find((known) => known === argv[0]);
  return `See "wxpay ${name === undefined ? '' : `${name} `}--help".`;
}
