/** Entry of `npm run discover`. */
import { CliContext } from './cli/context.ts';
import { buildDiscoverProgram } from './cli/discover-program.ts';
import { runProgram } from './cli/run-program.ts';

const context = new CliContext(process);
process.exit(await runProgram(context, buildDiscoverProgram(context), process.argv.slice(2)));
