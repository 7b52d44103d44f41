/**
 * A process that writes to an archive as fast as it can and prints a line after each write that the archive acknowledged.
 * Started by the archive suite; argument: one JSON object (opener and job).
 */
import { writeSync } from 'node:fs';
import type { Archive } from '../../../../services/archive/archive.ts';
import { aLedgerRow, anExperiment, aTrial, aVerdict } from '../../builders.ts';

interface Job {
  readonly module: string;
  readonly name: string;
  readonly location: string;
  readonly task: 'create' | 'count-up' | 'reserve' | 'claim' | 'verdict';
  readonly times: number;
  readonly tag: string;
  readonly cap?: number;
}

// process.stdout buffers; what is said must have left this process when it is killed.
const say = (line: string): void => void writeSync(1, `${line}\n`);

const tasks: Readonly<Record<Job['task'], (archive: Archive, job: Job) => Promise<void>>> = {
  /** Experiments 1, 2, 3 …, each with a trial. */
  async create(archive, { times }) {
    for (let number = 1; number <= times; number++) {
      const { value } = await archive.createExperiment(anExperiment({ number, state: 'proposed' }));
      say(value.id);
      const trial = await archive.createTrial(aTrial({ experimentId: value.id }));
      say(trial.value.id);
      const written = await archive.updateExperiment(value.id, 0, { state: 'checked' });
      if (written.ok) say(`${value.id} checked`);
    }
  },
  /** Adds `times` to the pool version counter kept in an experiment, by compare-and-set with retries. */
  async 'count-up'(archive, { times }) {
    for (let done = 0; done < times; ) {
      const current = await archive.getExperiment('c-test/e0001');
      if (current === null) throw new Error('the experiment to count in is missing');
      const written = await archive.updateExperiment(current.id, current.epoch, { poolVersion: current.poolVersion + 1 });
      if (written.ok) {
        done += 1;
        say(String(written.value.poolVersion));
      }
    }
  },
  /** Reserves one second at a time until the cap or `times`. */
  async reserve(archive, { times, tag, cap }) {
    for (let number = 0; number < times; number++) {
      const answer = await archive.appendLedger(aLedgerRow({ purpose: `${tag}-${number}`, amount: 1 }), cap);
      if (answer === 'appended') say(`${tag}-${number}`);
    }
  },
  /** Gives experiments 1, 2, 3 … a verdict of its own and says which of them it won. */
  async verdict(archive, { times, tag }) {
    for (let number = 1; number <= times; number++) {
      const { id } = anExperiment({ number });
      const written = await archive.setVerdict(id, aVerdict({ statement: tag }));
      if (written.ok) say(id);
      else if (written.reason !== 'terminal') throw new Error(`${id} is ${written.reason}`);
    }
  },
  /** Claims one trial again and again and says each epoch it got. */
  async claim(archive, { times }) {
    for (let number = 0; number < times; number++) {
      const claimed = await archive.claimTrial(aTrial().id);
      if (claimed.ok) say(String(claimed.value.epoch));
    }
  },
};

const job: Job = JSON.parse(process.argv[2] ?? '');
const opener: Readonly<Record<string, (location: string) => Archive | Promise<Archive>>> = await import(job.module);
const open = opener[job.name];
if (open === undefined) throw new Error(`${job.module} has no ${job.name}`);
const archive = await open(job.location);
await tasks[job.task](archive, job);
await archive.close();
