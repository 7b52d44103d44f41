/** `asi`: the command line of asi-arch. */
import { CliContext } from './context.ts';
import { buildProgram } from './program.ts';
import { runProgram } from './run-program.ts';

// `asi lineage | head` closes our output early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const context = new CliContext(process);
process.exitCode = await runProgram(context, buildProgram(context), process.argv.slice(2));
