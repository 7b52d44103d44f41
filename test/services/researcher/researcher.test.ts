import { expect, test } from 'vitest';
import { isRefusal, relativeOf } from '../../../services/researcher/researcher.ts';
import { anExperiment, aProposal } from '../../support/builders.ts';

test('a recorded experiment is a relative with its fitness, gains, changes and lessons', () => {
  const experiment = anExperiment({ number: 12, state: 'recorded', parentId: 'c-test/e0003' });
  expect(relativeOf(experiment)).toEqual({
    id: 'c-test/e0012',
    number: 12,
    kind: 'candidate',
    arm: 'policy',
    state: 'recorded',
    parentId: 'c-test/e0003',
    name: 'candidate 12',
    motivation: experiment.proposal?.motivation,
    programHash: experiment.architecture?.hash,
    genome: experiment.proposal?.genome,
    fitness: 0.04,
    gains: experiment.fitness?.effects,
    operator: 'mutate:fir',
    changes: experiment.proposal?.changes,
    failure: null,
    refused: [],
    lessons: experiment.analysis?.lessons,
  });
});

test('a rejected experiment keeps its label, one on its way has neither fitness nor failure, a planned one is no relative yet', () => {
  expect(relativeOf(anExperiment({ state: 'rejected' }))).toMatchObject({ fitness: null, failure: { label: 'gate' } });
  expect(relativeOf(anExperiment({ state: 'proposed' }))).toMatchObject({ fitness: null, failure: null, lessons: [] });
  expect(relativeOf(anExperiment({ state: 'planned' }))).toBeNull();
});

test('a refusal is told from a draft', () => {
  expect(isRefusal({ refused: { label: 'duplicate', detail: 'nothing new' } })).toBe(true);
  expect(isRefusal(aProposal())).toBe(false);
});
