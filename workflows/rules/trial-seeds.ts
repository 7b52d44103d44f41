import type { CampaignSettings } from '../contracts/settings.ts';
import { type ConfirmationSettings, confirmationDesign } from './sequential-design.ts';

type SeedSettings = Pick<CampaignSettings, 'seed' | 'exploreSeeds' | 'confirmSeeds'>;

const perCampaign = 10_000;
const confirmOffset = 1000;
/** With fewer there is no residual, so nothing would be known of what seeds alone do. */
const fewestCalibrationSeeds = 2;

const range = (first: number, count: number): number[] => Array.from({ length: count }, (_, index) => first + index);

/** Seeds of the search: the same for every architecture, so that differences are paired. */
export const exploreSeeds = ({ seed, exploreSeeds: count }: SeedSettings): number[] => range(seed * perCampaign + 1, count);

/** Seeds of the baselines: the exploring ones, and one more where there is only one. */
export const calibrationSeeds = ({ seed, exploreSeeds: count }: SeedSettings): number[] =>
  range(seed * perCampaign + 1, Math.max(count, fewestCalibrationSeeds));

/** Fresh seeds of the verdict; disjoint from the others, so that nothing was selected by them. */
export const confirmSeeds = ({ seed, confirmSeeds: count }: SeedSettings): number[] =>
  range(seed * perCampaign + confirmOffset + 1, count);

/** Every fresh seed that the verdict may come to use: those of its last look. The first ones are `confirmSeeds`. */
export const allConfirmSeeds = ({ seed, ...settings }: SeedSettings & ConfirmationSettings): number[] =>
  range(seed * perCampaign + confirmOffset + 1, confirmationDesign(settings).looks.at(-1) ?? 0);
