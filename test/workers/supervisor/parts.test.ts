import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeptProcess } from '../../../workers/supervisor/kept-process.ts';
import { identify, isRunning } from '../../../workers/supervisor/process-identity.ts';
import { countDeath, restartDelayMs } from '../../../workers/supervisor/restart-delay.ts';
import { RotatingLog } from '../../../workers/supervisor/rotating-log.ts';
import { takeStackLock } from '../../../workers/supervisor/stack-lock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'asi-supervisor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a rotating log', () => {
  it('never grows beyond its size and keeps the newest lines', () => {
    const path = join(folder, 'logs', 'role.log');
    const log = new RotatingLog({ path, maxBytes: 100, numOld: 2, onTrouble: () => undefined });
    for (let number = 0; number < 50; number += 1) log.write(`line ${String(number).padStart(4, '0')}\n`);
    log.close();
    const texts = [path, `${path}.1`, `${path}.2`].map((file) => readFileSync(file, 'utf8'));
    expect(texts.every((text) => text.length <= 100)).toBe(true);
    expect(texts.toReversed().join('')).toBe(
      Array.from({ length: 50 }, (_, number) => `line ${String(number).padStart(4, '0')}\n`)
        .slice(-30)
        .join(''),
    );
    expect(existsSync(`${path}.3`)).toBe(false);
  });

  it('goes on where the last process stopped', () => {
    const path = join(folder, 'role.log');
    for (const text of ['first\n', 'second\n']) {
      const log = new RotatingLog({ path, maxBytes: 12, onTrouble: () => undefined });
      log.write(text);
      log.close();
    }
    expect(readFileSync(path, 'utf8')).toBe('second\n');
    expect(readFileSync(`${path}.1`, 'utf8')).toBe('first\n');
  });

  it('says once that it cannot be written, and goes on when it can', () => {
    const path = join(folder, 'role.log');
    mkdirSync(path);
    const troubles: string[] = [];
    const log = new RotatingLog({ path, onTrouble: (line) => troubles.push(line) });
    log.write('lost\n');
    log.write('lost too\n');
    expect(troubles).toHaveLength(1);
    expect(troubles[0]).toContain(path);
    rmSync(path, { recursive: true });
    log.write('kept\n');
    log.close();
    expect(statSync(path).size).toBe('kept\n'.length);
  });
});

describe('the delay before a restart', () => {
  it('doubles with each death in a row and is never longer than half a minute', () => {
    const delaysMs: number[] = [];
    let deaths = { numInARow: 0 };
    for (let number = 0; number < 9; number += 1) {
      deaths = countDeath(deaths, 100);
      delaysMs.push(restartDelayMs(deaths));
    }
    expect(delaysMs).toEqual([500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    expect(restartDelayMs({ numInARow: 100_000 })).toBe(30_000);
  });

  it('is short again after a minute of work', () => {
    expect(restartDelayMs(countDeath({ numInARow: 6 }, 60_000))).toBe(500);
    expect(restartDelayMs(countDeath({ numInARow: 6 }, 59_999))).toBe(30_000);
  });
});

describe('the lock of a stack', () => {
  it('is had by one at a time', () => {
    const first = takeStackLock(folder);
    expect(first).not.toBeNull();
    expect(takeStackLock(folder)).toBeNull();
    first?.release();
    const again = takeStackLock(folder);
    expect(again).not.toBeNull();
    again?.release();
  });
});

describe('the identity of a process', () => {
  it('is not that of another process which got the same pid', () => {
    const own = identify(process.pid);
    if (own === null) throw new Error('this process was not found');
    expect(isRunning(own)).toBe(true);
    expect(isRunning({ ...own, startMark: `${own.startMark}0` })).toBe(false);
    expect(identify(2 ** 22 + 1)).toBeNull();
  });
});

describe('a kept process', () => {
  it('is up only when its program is known, however early the program works', async () => {
    const path = join(folder, 'role.log');
    const known: (number | null)[] = [];
    const kept = new KeptProcess({
      name: 'role',
      command: { program: '/bin/sleep', parameters: ['60'], environment: {} },
      log: new RotatingLog({ path, onTrouble: () => undefined }),
      readyTimeoutMs: 60_000,
      readiness: { probe: async () => undefined },
      onLine: () => undefined,
      onChange: () => known.push(kept.current?.program?.pid ?? null),
    });
    await kept.start();
    const program = kept.current?.program;
    await kept.stop(0);
    expect(program?.pid).toBeGreaterThan(0);
    expect(known.at(-1)).toBe(program?.pid);
  });
});
