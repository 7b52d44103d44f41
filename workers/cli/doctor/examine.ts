import type { DoctorRow } from '../../view/doctor-lines.ts';
import type { CliContext } from '../context.ts';
import { examineArchive, examineHome } from './examine-home.ts';
import { examineInstalled, examinePythonPackage } from './examine-installed.ts';
import { examineServer } from './examine-server.ts';

/** Everything that a campaign needs on this machine, a row each. Changes nothing. */
export const examine = async (context: CliContext): Promise<readonly DoctorRow[]> => {
  const installed = await examineInstalled(context.environment);
  const rows = installed.map(({ row }) => row);
  const python = await examinePythonPackage(context.environment, installed);
  const home = examineHome(context);
  // What lies in the state folder cannot be looked at without one.
  if (home.status === 'missing') return [...rows, python, home];
  return [...rows, python, home, await examineArchive(context), await examineServer(context)];
};
