/** Writes the JSON Schemas and the baseline table that the Python package reads. `npm run schemas`; a test compares the files with the sources. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { baselineGenomes } from './baselines.ts';
import { dataManifestSchema } from './data.ts';
import { genomeSchema } from './genome.ts';
import { judgeEventSchema, judgeRequestSchema } from './judge.ts';
import { rungSchema, rungs } from './rung.ts';
import { campaignInputSchema, presets } from './settings.ts';
import {
  answerRequestSchema,
  answerResultSchema,
  checkRequestSchema,
  checkResultSchema,
  hostEventSchema,
  hostRequestSchema,
  prepareRequestSchema,
  prepareResultSchema,
  toolsReplySchema,
  toolsRequestSchema,
  trainProgressSchema,
  trainRequestSchema,
  trainResultSchema,
} from './trial.ts';

const schemas = {
  'campaign-input': campaignInputSchema,
  genome: genomeSchema,
  rung: rungSchema,
  'data-manifest': dataManifestSchema,
  'prepare-request': prepareRequestSchema,
  'prepare-result': prepareResultSchema,
  'check-request': checkRequestSchema,
  'check-result': checkResultSchema,
  'train-request': trainRequestSchema,
  'train-progress': trainProgressSchema,
  'train-result': trainResultSchema,
  'answer-request': answerRequestSchema,
  'answer-result': answerResultSchema,
  'host-request': hostRequestSchema,
  'host-event': hostEventSchema,
  'judge-request': judgeRequestSchema,
  'judge-event': judgeEventSchema,
  'tools-request': toolsRequestSchema,
  'tools-reply': toolsReplySchema,
} as const;

export const schemaFolder = fileURLToPath(new URL('../../kernels/asi_kernels/schemas/', import.meta.url));

/** The values of `{}`, beside each field; every preset has its own. */
const withDefaults = (schema: z.core.JSONSchema.JSONSchema): object => {
  const values = new Map<string, unknown>(Object.entries(presets.quick));
  const fields = Object.entries(schema.properties ?? {});
  return {
    ...schema,
    properties: Object.fromEntries(
      fields.map(([name, field]) => [name, typeof field === 'object' ? { ...field, default: values.get(name) } : field]),
    ),
  };
};

/** File name to content. */
export const generatedFiles = (): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  for (const [name, schema] of Object.entries(schemas))
    files.set(`${name}.json`, `${JSON.stringify(z.toJSONSchema(schema), null, 2)}\n`);
  files.set('campaign-input.json', `${JSON.stringify(withDefaults(z.toJSONSchema(campaignInputSchema)), null, 2)}\n`);
  files.set('baselines.json', `${JSON.stringify(baselineGenomes, null, 2)}\n`);
  files.set('rungs.json', `${JSON.stringify(rungs, null, 2)}\n`);
  return files;
};

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  mkdirSync(schemaFolder, { recursive: true });
  for (const [name, content] of generatedFiles()) writeFileSync(`${schemaFolder}${name}`, content);
}
