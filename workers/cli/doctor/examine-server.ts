import { findStack } from '../../supervisor/index.ts';
import type { DoctorRow } from '../../view/doctor-lines.ts';
import { CommandError } from '../command-error.ts';
import type { CliContext } from '../context.ts';
import { connectTemporal } from '../temporal-client.ts';

/** Whether a stack is up. Not having one is no fault: discover brings its own, and "npm start" keeps one. */
export const examineServer = async (context: CliContext): Promise<DoctorRow> => {
  const name = 'stack';
  const config = context.config();
  const named = context.environment.TEMPORAL_ADDRESS;
  const stack = named === undefined ? findStack(config.home) : null;
  if (named === undefined && stack === null) {
    return {
      name,
      status: 'note',
      version: null,
      found: 'none is up; "npm start" keeps one, "npm run discover" brings its own',
      remedy: null,
    };
  }
  const address = stack?.temporalAddress ?? config.temporalAddress;
  try {
    const temporal = await connectTemporal({ address, namespace: stack?.namespace ?? config.namespace });
    await temporal.close();
    return {
      name,
      status: 'ok',
      version: address,
      found: stack === null ? 'server of TEMPORAL_ADDRESS' : `Web UI ${stack.uiUrl}`,
      remedy: null,
    };
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    const remedy =
      named === undefined
        ? `end process ${stack?.pid} and run "npm start" again`
        : 'start that server, or unset TEMPORAL_ADDRESS to use the stack of "npm start"';
    return { name, status: 'missing', version: address, found: error.message, remedy };
  }
};
