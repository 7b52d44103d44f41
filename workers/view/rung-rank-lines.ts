import { noRungMet, rungCorrelationWords, rungPairWords } from '../../workflows/rules/rung-correlation-words.ts';
import type { RungCorrelation } from '../../workflows/rules/rung-correlations.ts';
import { wrap } from './cells.ts';
import type { Look } from './look.ts';

const heading =
  "Do rungs rank alike? Spearman's correlation over the programs that campaigns of this machine measured on two rungs of these data:";

/** After a ranking: what it says of other rungs. */
export const rungRankLines = (look: Look, pairs: readonly RungCorrelation[]): readonly string[] => [
  '',
  ...(pairs.length === 0
    ? wrap(noRungMet, look.width)
    : [
        ...wrap(heading, look.width),
        ...pairs
          .flatMap((pair) => wrap(`${rungPairWords(pair)}: ${rungCorrelationWords(pair)}`, look.width - 2))
          .map((line) => `  ${line}`),
      ]),
];
