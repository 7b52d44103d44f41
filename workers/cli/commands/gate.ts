import { basename } from 'node:path';
import { Command, Option } from 'commander';
import { baselineNames } from '../../../workflows/contracts/genome.ts';
import { type RungName, rungNames, rungs } from '../../../workflows/contracts/rung.ts';
import { gateResultLines } from '../../view/gate-result.ts';
import { badInput, CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { examples } from '../examples.ts';
import { type Checked, checkProgram } from '../gate/check-program.ts';
import { gateId, refuseNamedProgram } from '../gate/own-file.ts';
import { refusalOf } from '../gate/program-refusal.ts';
import { readMixerFile } from '../gate/read-mixer-file.ts';
import { wholeNumber } from '../whole-number.ts';

interface GateOptions {
  readonly rung: RungName;
  readonly baseline: (typeof baselineNames)[number];
  readonly seed: number;
  readonly cuts: number;
  readonly flopsLimit: number;
  readonly json?: boolean;
}

const largestSeed = 2 ** 31 - 1;
const mostCuts = 10_000;

export const gateCommand = (context: CliContext): Command =>
  new Command('gate')
    .description('run the legality gates on any mixer program, in the sandbox, and show the evidence of each; needs no stack')
    .argument(
      '<file.py>',
      'a program with a class Mixer(hidden_size, num_heads, layer_index=0, num_layers=1) and forward(x, state=None) -> (y, state)',
    )
    .addOption(new Option('--rung <name>', 'model sizes to gate at').choices([...rungNames]).default('quick'))
    .addOption(
      new Option('--baseline <name>', 'what parameters and FLOPs are matched with')
        .choices([...baselineNames])
        .default('deltanet'),
    )
    .option('--seed <n>', 'seed of probes and cuts', wholeNumber('--seed', 0, largestSeed), 0)
    .option('--cuts <n>', 'random cuts of the causality gate; more find rarer leaks', wholeNumber('--cuts', 1, mostCuts), 100)
    .option('--flops-limit <x>', "largest model FLOPs as a multiple of the baseline's", multiple, 1.25)
    .option('--json', 'the report and the sandbox as JSON')
    .addHelpText(
      'after',
      `${examples(['npx asi gate my_mixer.py', 'npx asi gate my_mixer.py --rung standard --cuts 300 --seed 7', 'npx asi gate my_mixer.py --json | jq .gates'])}
Exit codes: 0 every gate passes or does not apply, 1 a gate failed, 2 the file is no mixer program.
`,
    )
    .action(async (file: string, options: GateOptions) => {
      const { path, text } = readMixerFile(file, process.cwd());
      const fileName = basename(path);
      const { rung, seed, cuts, flopsLimit, baseline } = options;
      const config = context.wholeConfig();
      const checked = await checkProgram(config, {
        refuse: refuseNamedProgram({ command: 'asi gate', id: gateId, unsandboxed: config.unsandboxed }),
        text,
        fileName,
        rung: rungs[rung],
        seed,
        cuts,
        flopsLimit,
        reference: baseline,
      });
      print(context, { fileName, options, checked });
      const refusal = refusalOf(checked);
      if (refusal?.kind === 'no-mixer') throw badInput(`file.py: value "${file}"; ${refusal.detail}`);
      if (refusal !== null) throw new CommandError(`${fileName}: ${refusal.detail}`);
    });

/** A program that is no mixer gets its one line and no table: the other gates did not run. */
const print = (
  context: CliContext,
  { fileName, options, checked }: { readonly fileName: string; readonly options: GateOptions; readonly checked: Checked },
): void => {
  const { rung, seed } = options;
  if (options.json === true) {
    const report = checked.ok ? checked.report : { status: 'fail', label: checked.label, detail: checked.detail, gates: [] };
    context.printJson({ file: fileName, rung, seed, ...report, sandbox: checked.sandbox });
  } else if (checked.ok && refusalOf(checked)?.kind !== 'no-mixer') {
    context.print(gateResultLines(context.look(), { fileName, rung, seed, report: checked.report, sandbox: checked.sandbox }));
  }
};

const multiple = (text: string): number => {
  const value = Number(text);
  if (text.trim() !== '' && value > 0 && value <= 100) return value;
  throw badInput(`--flops-limit: value "${text}"; right would be a number above 0, at most 100`);
};
