import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anExperiment, aTrial, aVerdict } from '../../builders.ts';
import { type ArchiveStore, type CreateStore, connect, startWriter } from './harness.ts';

const limitMs = 60_000;

export const concurrencyTests = (create: CreateStore): void => {
  describe('several writers', () => {
    it('let exactly one of them win each epoch, in any interleaving of reads and writes', async () => {
      const step = fc.record({ writer: fc.integer({ min: 0, max: 2 }), act: fc.constantFrom('read', 'write') });
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
          const store = await create();
          const writers = [await store.open(), await store.open(), await store.open()];
          const { id } = anExperiment();
          await writers[0]?.createExperiment(anExperiment());
          const seen = [0, 0, 0];
          let stored = 0;
          for (const { writer, act } of steps) {
            const epoch = seen[writer] ?? 0;
            if (act === 'read') seen[writer] = (await writers[writer]?.getExperiment(id))?.epoch ?? -1;
            else {
              const written = await writers[writer]?.updateExperiment(id, epoch, { poolVersion: stored + 1 });
              expect(written?.ok).toBe(epoch === stored);
              if (written?.ok === true) stored += 1;
            }
          }
          expect(await writers[2]?.getExperiment(id)).toMatchObject({ epoch: stored, poolVersion: stored });
          for (const writer of writers) await writer.close();
        }),
        { numRuns: 25 },
      );
    });

    it('let one verdict and one terminal record win when all write at once', async () => {
      const store = await create();
      const writers = await Promise.all(Array.from({ length: 4 }, () => connect(store)));
      const { id } = anExperiment();
      await writers[0]?.createExperiment(anExperiment({ state: 'analysed' }));
      const states = ['recorded', 'failed', 'rejected', 'cancelled'] as const;
      const ends = await Promise.all(
        writers.map((writer, index) => writer.updateExperiment(id, 0, { state: states[index] ?? 'failed' })),
      );
      expect(ends.filter(({ ok }) => ok)).toHaveLength(1);
      for (const end of ends) if (!end.ok) expect(end.reason).toBe('terminal');

      await writers[0]?.createExperiment(anExperiment({ number: 2, state: 'recorded' }));
      const verdicts = await Promise.all(
        writers.map((writer, index) => writer.setVerdict('c-test/e0002', aVerdict({ statement: `from writer ${index}` }))),
      );
      expect(verdicts.filter(({ ok }) => ok)).toHaveLength(1);
    });

    it(
      'in two processes lose no compare-and-set',
      async () => {
        const store = await create();
        const archive = await connect(store);
        await archive.createExperiment(anExperiment());
        const times = 150;
        const ends = await runAll(store, [
          { task: 'count-up', times },
          { task: 'count-up', times },
        ]);
        expect(
          ends
            .flat()
            .map(Number)
            .sort((a, b) => a - b),
        ).toEqual(Array.from({ length: 2 * times }, (_, index) => index + 1));
        expect(await archive.getExperiment('c-test/e0001')).toMatchObject({ poolVersion: 2 * times, epoch: 2 * times });
      },
      limitMs,
    );

    it(
      'in two processes never reserve more than the cap, and all of it',
      async () => {
        const store = await create();
        const archive = await connect(store);
        const ends = await runAll(store, [
          { task: 'reserve', times: 150, tag: 'a', cap: 200 },
          { task: 'reserve', times: 150, tag: 'b', cap: 200 },
        ]);
        expect(ends.flat()).toHaveLength(200);
        expect((await archive.ledgerTotals('c-test'))['trial-seconds']).toEqual({ settled: 0, open: 200 });
      },
      limitMs,
    );

    it(
      'in two processes never get the same epoch of a trial',
      async () => {
        const store = await create();
        const archive = await connect(store);
        await archive.createTrial(aTrial());
        const ends = await runAll(store, [
          { task: 'claim', times: 100 },
          { task: 'claim', times: 100 },
        ]);
        expect(new Set(ends.flat()).size).toBe(200);
        expect(await archive.getTrial(aTrial().id)).toMatchObject({ epoch: 200 });
      },
      limitMs,
    );

    it(
      'in two processes never both give an experiment its verdict',
      async () => {
        const store = await create();
        const archive = await connect(store);
        const times = 150;
        for (let number = 1; number <= times; number++)
          await archive.createExperiment(anExperiment({ number, state: 'recorded' }));
        const tags = ['a', 'b'];
        const ends = await runAll(
          store,
          tags.map((tag) => ({ task: 'verdict', times, tag })),
        );
        expect(ends.flat()).toHaveLength(times);
        for (const [index, ids] of ends.entries())
          for (const id of ids) expect((await archive.getExperiment(id))?.verdict?.statement).toBe(tags[index]);
      },
      limitMs,
    );

    it(
      'in two processes open a new store at the same moment',
      async () => {
        const store = await create();
        const ends = await runAll(store, [
          { task: 'reserve', times: 3, tag: 'a' },
          { task: 'reserve', times: 3, tag: 'b' },
          { task: 'reserve', times: 3, tag: 'c' },
        ]);
        expect(ends.flat()).toHaveLength(9);
      },
      limitMs,
    );
  });

  describe('a writer killed in mid-stream', () => {
    it(
      'leaves every write that it acknowledged, whole, and nothing half written',
      async () => {
        const store = await create();
        const writer = startWriter(store, { task: 'create', times: 100_000 });
        await writer.saidLines(500);
        writer.kill();
        expect(await writer.ended).toMatchObject({ signal: 'SIGKILL' });

        const archive = await connect(store);
        const said = writer.acknowledged;
        expect(said.length).toBeGreaterThanOrEqual(500);
        for (const line of said) {
          const [id = '', state] = line.split(' ');
          const stored = id.includes('/tiny/') ? await archive.getTrial(id) : await archive.getExperiment(id);
          expect(stored?.id).toBe(id);
          if (state !== undefined) expect(stored?.state).toBe(state);
        }
        const experiments = await archive.listExperiments('c-test');
        for (const experiment of experiments)
          expect(experiment).toEqual({
            ...anExperiment({ number: experiment.number, state: 'proposed' }),
            ...(experiment.epoch === 1 ? { state: 'checked', epoch: 1, updatedAt: experiment.updatedAt } : {}),
          });
        // At most the one write whose acknowledgement did not get out.
        const facts = experiments.length + (await archive.listTrials({ campaignId: 'c-test' })).length;
        const checked = experiments.filter(({ epoch }) => epoch === 1).length;
        expect(facts + checked - said.length).toBeLessThanOrEqual(1);
        expect(await archive.createExperiment(anExperiment({ number: 999_999 }))).toMatchObject({ created: true });
      },
      limitMs,
    );
  });
};

/** What each process said; all must end well. */
const runAll = async (store: ArchiveStore, jobs: readonly Record<string, unknown>[]): Promise<readonly (readonly string[])[]> => {
  const writers = jobs.map((job) => startWriter(store, job));
  for (const writer of writers) expect(await writer.ended).toMatchObject({ code: 0, stderr: '' });
  return writers.map(({ acknowledged }) => acknowledged);
};
