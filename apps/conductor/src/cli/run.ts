import { IronbarkError } from '@ironbark/core';
import { CommanderError, type Command } from 'commander';
import { exitCodeOf, exitCodes, type ExitCode } from './exit-codes.ts';
import { printError } from './print.ts';
import { createProgram } from './program.ts';

/** Runs one command line (without program names) and says how it ended. */
export async function runCommand(words: readonly string[]): Promise<ExitCode> {
  let code: ExitCode = exitCodes.success;
  const program = createProgram((result) => (code = result));
  throwInsteadOfExit(program);
  try {
    await program.parseAsync(words, { from: 'user' });
    return code;
  } catch (error) {
    if (!(error instanceof CommanderError)) {
      printError(error, program.opts<{ debug?: true }>().debug === true);
      return exitCodeOf(error);
    }
    if (error.exitCode === 0) return exitCodes.success;
    if (error.code !== 'commander.help') printError(usageError(error), false);
    return exitCodes.usage;
  }
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => {} });
  for (const each of command.commands) throwInsteadOfExit(each);
}

function usageError(error: CommanderError): IronbarkError {
  const [problem = '', suggestion] = error.message.replace(/^error: |\.$/g, '').split('\n');
  const sentence = `${problem.charAt(0).toUpperCase()}${problem.slice(1)}.`;
  const hint = [
    suggestion?.replace(/^\((.*)\)$/, '$1'),
    '`ironbark --help` lists the commands, `ironbark <command> --help` their options.',
  ];
  return new IronbarkError('INVALID_PARAMETER', sentence, { hint: hint.filter(Boolean).join(' ') });
}
