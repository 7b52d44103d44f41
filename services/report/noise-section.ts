import { nothing, section } from './chart.ts';
import { html, type Markup } from './markup.ts';
import type { ReportData } from './report-data.ts';
import { plain } from './words.ts';

const units = {
  'bits-per-byte': 'bits a byte',
  'recall-auc': 'nats',
  'recall-accuracy': 'share right',
  'copy-loss': 'nats',
} as const;

/** What seeds alone do on this rung. */
export const noiseSection = ({ campaign }: ReportData): Markup => {
  const { settings, noise } = campaign;
  return section(
    {
      id: 'noise',
      title: `Noise of the rung ${settings.rung}, by metric`,
      caption: `Measured before the search by training ${settings.baselines.length === 1 ? 'the baseline' : `${settings.baselines.length} baselines`} on common seeds: what is left after the level of each architecture and of each seed is taken out. The smallest gain found is a true gain that ${settings.confirmSeedsMax > settings.confirmSeeds ? `${settings.confirmSeeds} to ${settings.confirmSeedsMax}` : settings.confirmSeeds} fresh seeds would tell from zero nine times in ten with this noise alone, before other learning rates and the champion set are asked, shared among ${settings.finalists} finalists; a smaller one may well be there and be missed. The verdicts know more: the fitter half of all that was explored and the confirmed baselines join in.`,
    },
    noise.length === 0
      ? nothing('The noise floor was not measured: it takes the baselines on two seeds or more.')
      : html`<div class="wide"><table><thead><tr><th>Metric</th><th class="number">Deviation of one paired difference</th><th class="number">Degrees of freedom</th><th class="number">Smallest gain found</th><th>Unit</th></tr></thead><tbody>${noise.map(
          (floor) =>
            html`<tr><td class="tag">${floor.metric}</td><td class="number">${plain(floor.pairedSd)}</td><td class="number">${floor.degreesOfFreedom}</td><td class="number">${plain(floor.minimumDetectable)}</td><td class="tag">${units[floor.metric]}</td></tr>`,
        )}</tbody></table></div>`,
  );
};
