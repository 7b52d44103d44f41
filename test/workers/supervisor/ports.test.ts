import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { choosePorts, movedPorts } from '../../../workers/supervisor/ports.ts';

const takenPort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      onTestFinished(() => void server.close());
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });

describe('a port that is taken', () => {
  it('is replaced where it may be, and both are named', async () => {
    const temporal = await takenPort();
    const wished = { temporal, ui: (await choosePorts({ temporal, ui: temporal + 1 }, true)).ui };
    const taken = await choosePorts(wished, true);
    expect(taken.temporal).not.toBe(temporal);
    expect(movedPorts(wished, taken)).toEqual([
      `port ${temporal} (Temporal) is in use by another program; taking ${taken.temporal} instead`,
    ]);
    expect(movedPorts(taken, taken)).toEqual([]);
  });

  it('is an error where it may not, which names the variable', async () => {
    const temporal = await takenPort();
    await expect(choosePorts({ temporal, ui: temporal + 1 }, false)).rejects.toThrow(`port ${temporal} (Temporal) is in use`);
  });
});
