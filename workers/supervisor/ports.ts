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

/** Both ports of the stack were given one number. */
export class EqualPortsError extends Error {
  override readonly name = 'EqualPortsError';

  constructor(port: number) {
    super(
      `ASI_TEMPORAL_PORT and ASI_UI_PORT are both ${port}; Temporal and its Web UI need a port each: set one of them to another free port`,
    );
  }
}

/**
 * The wished ports; when `mayMove`, a taken one is replaced by any free one.
 * @throws EqualPortsError when the same port is wished twice, and PortInUseError when a wished port is taken and may not move
 */
export const choosePorts = async (wished: Ports, mayMove: boolean): Promise<Ports> => {
  if (wished.temporal === wished.ui && !mayMove) throw new EqualPortsError(wished.ui);
  const temporal = await choosePort(wished.temporal, mayMove, 'ASI_TEMPORAL_PORT', 'Temporal');
  const ui = await choosePort(wished.ui === temporal ? anyPort : wished.ui, mayMove, 'ASI_UI_PORT', 'Temporal Web UI');
  // A free port that was taken instead of a wished one is free until it is used.
  return temporal === ui ? await choosePorts(wished, mayMove) : { temporal, ui };
};

/** A line for each port that is another one than was wished. */
export const movedPorts = (wished: Ports, taken: Ports): readonly string[] => {
  const areEqual = wished.temporal === wished.ui && taken.ui !== wished.ui;
  const equal = `ASI_TEMPORAL_PORT and ASI_UI_PORT are both ${wished.ui}; taking ${taken.ui} for the Web UI`;
  const line = (purpose: string, from: number, to: number): readonly string[] =>
    from === to ? [] : [`port ${from} (${purpose}) is in use by another program; taking ${to} instead`];
  return [
    ...line('Temporal', wished.temporal, taken.temporal),
    ...(areEqual ? [equal] : line('Temporal Web UI', wished.ui, taken.ui)),
  ];
};

const choosePort = async (port: number, mayMove: boolean, variable: string, purpose: string): Promise<number> => {
  const bound = await listenOnce(port);
  if (bound !== null) return bound;
  const free = mayMove ? await listenOnce(anyPort) : null;
  if (free === null) throw new PortInUseError(port, variable, purpose);
  return free;
};

const anyPort = 0;

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
