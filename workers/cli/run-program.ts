import { type Command, CommanderError } from 'commander';
import { isDiskFull } from '../../services/storage/disk-space.ts';
import { ConfigError, readConfig } from '../config.ts';
import { isSpoken, namingFullDisk } from '../spoken-errors.ts';
import { plain } from '../view/cells.ts';
import { CommandError, exitCodes } from './command-error.ts';
import type { CliContext } from './context.ts';

/** Parses the words, runs the command and gives back the exit code; every error ends as one readable message. */
export const runProgram = async (context: CliContext, program: Command, words: readonly string[]): Promise<number> => {
  prepare(context, program);
  try {
    await program.parseAsync([...words], { from: 'user' });
    return exitCodes.ok;
  } catch (error) {
    // Commander has printed its own message.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.badInput;
    return report(context, error, words.includes('--debug'));
  }
};

const prepare = (context: CliContext, command: Command): void => {
  command
    .exitOverride()
    .showHelpAfterError('(add --help for what it takes, with examples)')
    .showSuggestionAfterError()
    .configureHelp({ showGlobalOptions: true, helpWidth: context.look().width })
    .configureOutput({ writeOut: (text) => context.stdout.write(text), writeErr: (text) => context.stderr.write(text) });
  for (const child of command.commands) prepare(context, child);
};

const report = (context: CliContext, thrown: unknown, debug: boolean): number => {
  const error = isDiskFull(thrown) && !(thrown instanceof CommandError) ? inWordsOf(context, thrown) : thrown;
  const message = error instanceof Error ? error.message : String(error);
  const lines =
    error instanceof CommandError || isSpoken(error)
      ? [message]
      : [
          `unexpected: ${plain(message) || 'an error without a message'}`,
          ...(debug ? [] : ['Run it again with --debug to see where.']),
        ];
  if (debug && error instanceof Error) lines.push(wholeStack(error));
  context.stderr.write(`${lines.join('\n')}\n`);
  if (error instanceof CommandError) return error.exitCode;
  return error instanceof ConfigError ? exitCodes.badInput : exitCodes.failed;
};

/** The environment can be read, or nothing had been written to a disk. */
const inWordsOf = (context: CliContext, error: unknown): unknown =>
  namingFullDisk(error, readConfig({ ASI_PYTHON: 'python3', ...context.environment }));

const wholeStack = (error: Error): string => {
  const cause = error.cause instanceof Error ? `\ncaused by ${wholeStack(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
};
