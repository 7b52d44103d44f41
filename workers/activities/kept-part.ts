import { randomInt } from 'node:crypto';
import { copyFile, mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '../../services/storage/exists.ts';
import type { TrainProgress, TrainRequest } from '../../workflows/contracts/trial.ts';
import { checkpointsOf, isPast } from '../../workflows/rules/repeat-training.ts';
import { infra } from './heartbeat.ts';
import { plainFileInside } from './plain-file.ts';

/** What a trainer goes on from, below its work folder. */
const stateFile = join('checkpoints', 'state.safetensors');

/** Beside a trial's work folder, where no program of the trial can reach. */
const asideOf = (workdir: string): string => `${workdir}.aside`;
const stateOf = (workdir: string): string => `${workdir}.state`;
export const besideWorkdir = (workdir: string): readonly string[] => [asideOf(workdir), stateOf(workdir)];

export interface StateKeeper {
  /** May be called for each line of the trial's progress; the first one past the chosen place copies the checkpoint. */
  onProgress(line: Pick<TrainProgress, 'task' | 'step'>): void;
  /** Ends when a copy that was begun is whole. */
  settled(): Promise<void>;
}

/** Copies the newest checkpoint of a running training at a place chosen by lot, so that no program knows which part is looked at twice. */
export const keepState = (
  workdir: string,
  { rung, checkpointEvery }: Pick<TrainRequest, 'rung' | 'checkpointEvery'>,
  draw: (count: number) => number = randomInt,
): StateKeeper => {
  const places = checkpointsOf(rung, checkpointEvery);
  const chosen = places.length === 0 ? undefined : places[draw(places.length)];
  let copy: Promise<void> | null = null;
  return {
    onProgress(line) {
      if (chosen === undefined || copy !== null || !isPast(line, chosen, rung)) return;
      copy = copyState(workdir);
      // Awaited by `settled`; until then a failure is nobody's yet.
      copy.catch(() => undefined);
    },
    async settled() {
      await copy;
    },
  };
};

const copyState = async (workdir: string): Promise<void> => {
  const state = plainFileInside(workdir, join(workdir, stateFile));
  // Between two tasks there is one all the same; a training that keeps none was tampered with, or its folder was.
  if (state === null) throw infra(`the trial in ${workdir} keeps no checkpoint in ${stateFile}`);
  await copyFile(state, stateOf(workdir));
};

/** Lays the kept checkpoint into a work folder; false where none was kept. */
export const layState = async (workdir: string): Promise<boolean> => {
  if (!(await exists(stateOf(workdir)))) return false;
  const path = join(workdir, stateFile);
  await mkdir(dirname(path), { recursive: true });
  await copyFile(stateOf(workdir), path);
  return true;
};

/** Puts a trial's work folder aside, so that its name is free for a repetition, which then has nothing to tell it by. */
export const setAside = (workdir: string): Promise<void> => rename(workdir, asideOf(workdir));

/** Brings a folder that was put aside back, also after an attempt that was given up in between. What stood in its place is removed. */
export const bringBack = async (workdir: string): Promise<void> => {
  if (!(await exists(asideOf(workdir)))) return;
  await rm(workdir, { recursive: true, force: true });
  await rename(asideOf(workdir), workdir);
};
