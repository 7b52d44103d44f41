import { type Command, CommanderError } from 'commander';
import { ArchiveUnavailableError } from '../../services/archive/archive-errors.ts';
import { ArtifactsUnavailableError, CorruptArtifactError } from '../../services/artifacts/artifacts.ts';
import { ExportRefusedError } from '../../services/export/bundle-source.ts';
import { ConfigError } from '../config.ts';
import { PortInUseError, StackRunningError, StackStartError } from '../supervisor/index.ts';
import { plain } from '../view/cells.ts';
import { CommandError, exitCodes } from './command-error.ts';
import type { CliContext } from './context.ts';

/** Errors whose message is written for the person at the terminal. */
const spokenErrors = [
  ArchiveUnavailableError,
  ArtifactsUnavailableError,
  CorruptArtifactError,
  ExportRefusedError,
  PortInUseError,
  StackRunningError,
  StackStartError,
];

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

const report = (context: CliContext, error: unknown, debug: boolean): number => {
  const isSpoken =
    error instanceof CommandError || error instanceof ConfigError || spokenErrors.some((kind) => error instanceof kind);
  const message = error instanceof Error ? error.message : String(error);
  const lines = isSpoken
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

const wholeStack = (error: Error): string => {
  const cause = error.cause instanceof Error ? `\ncaused by ${wholeStack(error.cause)}` : '';
  return `${error.stack ?? error.message}${cause}`;
};
