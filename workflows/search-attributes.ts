import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

// The names are contracts/messages.searchAttributes; the server registers them when it starts.
export const campaignKey = defineSearchAttributeKey('AsiCampaign', SearchAttributeType.KEYWORD);
export const stageKey = defineSearchAttributeKey('AsiStage', SearchAttributeType.KEYWORD);
export const presetKey = defineSearchAttributeKey('AsiPreset', SearchAttributeType.KEYWORD);
export const kindKey = defineSearchAttributeKey('AsiKind', SearchAttributeType.KEYWORD);
export const outcomeKey = defineSearchAttributeKey('AsiOutcome', SearchAttributeType.KEYWORD);
export const bestGainKey = defineSearchAttributeKey('AsiBestGain', SearchAttributeType.DOUBLE);
export const experimentsKey = defineSearchAttributeKey('AsiExperiments', SearchAttributeType.INT);
