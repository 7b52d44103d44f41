import { describe, expect, it } from 'vitest';
import type { ModelSize } from '../../../workflows/contracts/architecture.ts';
import { sizeDoubt } from '../../../workflows/rules/model-size.ts';
import { aHash, aModelSize } from '../../support/builders.ts';

const reference = [aModelSize({ parameters: 100_000, referenceParameters: 100_000, flopsPerToken: 200_000 })];
const layout = { tensors: 20, numbers: 100_100, hash: aHash() };
const honest: Partial<ModelSize> = { parameters: 100_100, referenceParameters: 100_000, flopsPerToken: 240_000, layout };

const doubtOf = (change: Partial<ModelSize>) =>
  sizeDoubt({ sizes: [aModelSize({ ...honest, ...change })], reference, flopsLimit: 1.25 });

describe('sizeDoubt', () => {
  it('believes sizes that match the reference as another process counted it', () => {
    expect(doubtOf({})).toBeNull();
  });

  it('tells a reference that the program made larger, with both numbers', () => {
    const doubt = doubtOf({ parameters: 150_000, referenceParameters: 150_000 });
    expect(doubt).toContain('the reference has 150,000 parameters; its own check counted 100,000');
  });

  it.each([102_100, 97_900])('tells a model of %i parameters that does not match', (parameters) => {
    expect(doubtOf({ parameters })).toContain('against the reference');
  });

  it.each([101_900, 98_100])('lets %i parameters pass', (parameters) => {
    expect(doubtOf({ parameters })).toBeNull();
  });

  it('tells numbers that hide in buffers', () => {
    expect(doubtOf({ layout: { ...layout, numbers: 140_000 } })).toContain('holds 140,000 numbers');
  });

  it('counts a tensor of two names once', () => {
    const tied = (numbers: number) => ({ ...layout, numbers: 140_000, tied: { names: { b: 'a' }, numbers } });
    expect(doubtOf({ layout: tied(39_900) })).toBeNull();
    expect(doubtOf({ layout: tied(20_000) })).toContain('holds 120,000 numbers');
  });

  it('tells more arithmetic than is allowed', () => {
    expect(doubtOf({ flopsPerToken: 260_000 })).toContain('260,000 FLOPs a token');
  });

  it('asks for the layout even while no reference is known', () => {
    const { layout: _, ...older } = aModelSize(honest);
    expect(sizeDoubt({ sizes: [older], reference: null, flopsLimit: 1.25 })).toContain('does not tell');
  });

  it('has nothing to compare with before the reference was checked, or for a task that it lacks', () => {
    const sizes = [aModelSize({ ...honest, parameters: 1 })];
    expect(sizeDoubt({ sizes, reference: null, flopsLimit: 1.25 })).toBeNull();
    expect(sizeDoubt({ sizes, reference: [aModelSize({ task: 'copy' })], flopsLimit: 1.25 })).toBeNull();
  });
});
