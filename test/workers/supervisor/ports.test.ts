import { createServer } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { choosePorts, EqualPortsError, movedPorts } from '../../../workers/supervisor/ports.ts';

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

describe('one port for both', () => {
  it('is an error that names both variables and calls it no other program’s', async () => {
    const { temporal } = await choosePorts({ temporal: 0, ui: 1 }, true);
    const chosen = choosePorts({ temporal, ui: temporal }, false);
    await expect(chosen).rejects.toThrow(EqualPortsError);
    await expect(chosen).rejects.toThrow(`ASI_TEMPORAL_PORT and ASI_UI_PORT are both ${temporal}`);
    await expect(chosen).rejects.not.toThrow('another program');
  });

  it('is two where it may be, and that is said', async () => {
    const { temporal: port } = await choosePorts({ temporal: 0, ui: 1 }, true);
    const wished = { temporal: port, ui: port };
    const taken = await choosePorts(wished, true);
    expect(taken.temporal).toBe(port);
    expect(taken.ui).not.toBe(port);
    expect(movedPorts(wished, taken)).toEqual([
      `ASI_TEMPORAL_PORT and ASI_UI_PORT are both ${port}; taking ${taken.ui} for the Web UI`,
    ]);
  });
});
