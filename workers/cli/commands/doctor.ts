import { Command } from 'commander';
import { doctorLines } from '../../view/doctor-lines.ts';
import { CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examine } from '../doctor/examine.ts';
import { examples } from '../examples.ts';

export const doctorCommand = (context: CliContext): Command =>
  new Command('doctor')
    .description('every dependency with its version, what is missing and the exact remedy; exit code 1 when something is missing')
    .option('--json', 'as JSON')
    .addHelpText('after', examples(['npx asi doctor', 'npx asi doctor --json']))
    .action(async (options: { readonly json?: boolean }) => {
      const rows = await examine(context);
      if (options.json === true) context.printJson(rows);
      else context.print(doctorLines(context.look(), rows));
      const missing = rows.filter(({ status }) => status === 'missing');
      if (missing.length > 0) throw new CommandError(`missing: ${missing.map(({ name }) => name).join(', ')}`);
      if (options.json !== true) context.print(['nothing is missing']);
    });
