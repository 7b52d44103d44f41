import { DefaultLogger, makeTelemetryFilterString, Runtime } from '@temporalio/worker';

/** Warnings and errors only, as single lines on stderr: the supervisor writes them to the role's log. */
export const installRuntime = (): void => {
  Runtime.install({
    logger: new DefaultLogger('WARN', ({ level, timestampNanos, message, meta }) => {
      const at = new Date(Number(timestampNanos / 1_000_000n)).toISOString();
      process.stderr.write(`${at} ${level} ${message}${meta === undefined ? '' : ` ${describe(meta)}`}\n`);
    }),
    telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'WARN', other: 'WARN' }) } },
  });
};

const describe = (meta: object): string =>
  JSON.stringify(meta, (_, value: unknown) => {
    if (value instanceof Error) return value.stack ?? value.message;
    return typeof value === 'bigint' ? String(value) : value;
  });
