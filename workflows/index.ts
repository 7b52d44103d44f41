export { discoverArchitectures } from './campaign.ts';
export { runExperiment } from './experiment.ts';
export { verifyArchitecture } from './verification.ts';
