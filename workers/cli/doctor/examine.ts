import type { DoctorRow } from '../../view/doctor-lines.ts';
import type { CliContext } from '../context.ts';
import { examineArchive, examineHome } from './examine-home.ts';
import { examineInstalled, examinePythonPackage } from './examine-installed.ts';
import { examineSandbox } from './examine-sandbox.ts';
import { examineServer } from './examine-server.ts';

/** Everything that a campaign needs on this machine, a row each. Changes nothing. */
export const examine = async (context: CliContext): Promise<readonly DoctorRow[]> => {
  const installed = await examineInstalled(context.environment);
  const rows = installed.map(({ row }) => row);
  const python = await examinePythonPackage(context.environment, installed);
  // Without Python there is nothing that could try it.
  const program = installed.find(({ row }) => row.name === 'Python')?.path ?? null;
  const sandbox = python.status === 'missing' || program === null ? [] : [await examineSandbox(program)];
  const home = examineHome(context);
  // What lies in the state folder cannot be looked at without one.
  if (home.status === 'missing') return [...rows, python, ...sandbox, home];
  return [...rows, python, ...sandbox, home, await examineArchive(context), await examineServer(context)];
};
