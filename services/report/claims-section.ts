import { rungOf } from '../../workflows/contracts/campaign.ts';
import { section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData } from './report-data.ts';

/** What a reader must not conclude from this page. */
export const claimsSection = ({ campaign, sandboxTiers, devices, reference }: ReportData): Markup => {
  const { settings } = campaign;
  const rung = rungOf(campaign);
  const bytes = rung.tasks.find(({ kind }) => kind === 'bytes');
  const claims: readonly (string | null)[] = [
    `This is a screening on a small model (width ${rung.hidden}${bytes === undefined ? '' : `, ${bytes.layers} layers, ${bytes.steps} steps of ${bytes.batch} × ${bytes.length} bytes`}). No correlation of this rung with larger models was shown beyond the rungs compared under Ranks; short runs favour local paths such as short convolutions.`,
    settings.rung === 'tiny' ? 'The tiny rung only tests the path from proposal to record. Its scores rank nothing.' : null,
    'Gains on the exploring seeds are those of the luckiest of many draws and are not corrected for that. Only the verdicts on fresh seeds are, for the number of finalists.',
    `Better means better than the baselines that were confirmed beside the finalists: ${reference?.name ?? 'the reference'}, the fittest other one, and each that exploring did not exclude from being the strongest (${campaign.settings.confirmBaselines ?? 2} at most), trained here with the same recipe. All train at the learning rate of the rung, which is tuned for no candidate, and what is better there must beat these baselines at half and at twice that rate too; a program whose weights move much faster than those of the baselines is not called better.`,
    'The verdict is about bits per byte alone. Recall, speed and size stand beside it and do not enter it; a finalist that gains in bits per byte and certainly loses in recall is said to trade.',
    'Intervals assume that paired differences are about normal and, where the noise floor is pooled in, that candidates are about as noisy as baselines; the larger of the two spreads is used.',
    'Speed is measured in CPU seconds on this machine and says little about a GPU.',
    sandboxTiers.includes('none')
      ? 'Candidate programs ran without an operating system sandbox. Scores come from a process of its own, yet a hostile program could have reached more than it should.'
      : null,
    devices.length > 0 ? `Scores were made on: ${devices.join(', ')}.` : null,
  ];
  return section(
    { id: 'claims', title: 'What this does not claim', caption: 'Read this before quoting a number.' },
    html`<ul>${claims.map((claim) => claim !== null && html`<li>${claim}</li>`)}</ul>`,
  );
};
