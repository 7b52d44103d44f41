import { createServer } from 'node:net';

export interface Ports {
  readonly temporal: number;
  readonly ui: number;
}

/** A port that the stack was told to use belongs to another program. */
export class PortInUseError extends Error {
  override readonly name = 'PortInUseError';
  readonly port: number;

  constructor(port: number, variable: string, purpose: string) {
    super(`port ${port} (${purpose}) is in use by another program; set ${variable} to a free port, or end that program`);
    this.port = port;
  }
}

/**
 * The wished ports; when `mayMove`, a taken one is replaced by any free one.
 * @throws PortInUseError when a wished port is taken and may not move
 */
export const choosePorts = async (wished: Ports, mayMove: boolean): Promise<Ports> => {
  const temporal = await choosePort(wished.temporal, mayMove, 'ASI_TEMPORAL_PORT', 'Temporal');
  const ui = await choosePort(wished.ui, mayMove, 'ASI_UI_PORT', 'Temporal Web UI');
  if (temporal === ui) throw new PortInUseError(ui, 'ASI_UI_PORT', 'Temporal Web UI; ASI_TEMPORAL_PORT is the same');
  return { temporal, ui };
};

/** A line for each port that another program had taken. */
export const movedPorts = (wished: Ports, taken: Ports): readonly string[] => {
  const line = (purpose: string, from: number, to: number): readonly string[] =>
    from === to ? [] : [`port ${from} (${purpose}) is in use by another program; taking ${to} instead`];
  return [...line('Temporal', wished.temporal, taken.temporal), ...line('Temporal Web UI', wished.ui, taken.ui)];
};

const choosePort = async (port: number, mayMove: boolean, variable: string, purpose: string): Promise<number> => {
  if ((await listenOnce(port)) !== null) return port;
  const free = mayMove ? await listenOnce(0) : null;
  if (free === null) throw new PortInUseError(port, variable, purpose);
  return free;
};

/** The port that could be bound on the loopback address (0: any), or null when it is taken. */
const listenOnce = (port: number): Promise<number | null> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else
        reject(error.code === 'EACCES' ? new Error(`port ${port} may not be used by this user; choose one above 1023`) : error);
    });
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(bound));
    });
  });
