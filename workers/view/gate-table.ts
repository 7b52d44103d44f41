import type { GateResult } from '../../workflows/contracts/architecture.ts';
import { wrap } from './cells.ts';
import type { Look, Tone } from './look.ts';
import { table } from './table.ts';

/** The table of gates, and below it the whole evidence of each gate that failed, or of all of them. */
export const gateLines = (
  look: Look,
  gates: readonly GateResult[],
  { whole }: { readonly whole: boolean } = { whole: false },
): readonly string[] => [
  ...gateTable(look, gates),
  ...gates
    .filter(({ verdict }) => whole || verdict === 'fail')
    .flatMap(({ gate, evidence }) => wrap(`${gate}: ${evidence}`, look.width - 2).map((line) => `  ${line}`)),
];

const tones: Readonly<Record<GateResult['verdict'], Tone>> = { pass: 'green', fail: 'red', 'not-applicable': 'dim' };

const gateTable = (look: Look, gates: readonly GateResult[]): readonly string[] =>
  table<GateResult>(
    look,
    [
      { title: 'gate', cell: ({ gate }) => gate },
      { title: 'verdict', cell: ({ verdict }) => verdict, tone: ({ verdict }) => tones[verdict] },
      { title: 'measured', cell: ({ measured }) => figure(measured), align: 'right' },
      { title: 'limit', cell: ({ limit }) => figure(limit), align: 'right' },
      { title: 'evidence', cell: ({ evidence }) => evidence, shrink: 1, least: 16 },
    ],
    gates,
  );

const figure = (value: number | null): string => (value === null ? '–' : String(Number(value.toPrecision(4))));
