import type { DoctorRow } from '../../view/doctor-lines.ts';
import type { CliContext } from '../context.ts';
import { examineArchive, examineHome } from './examine-home.ts';
import { examineInstalled, examinePythonPackage } from './examine-installed.ts';
import { examineServer } from './examine-server.ts';

/** Everything that a campaign needs on this machine, a row each. Changes nothing. */
export const examine = async (context: CliContext): Promise<readonly DoctorRow[]> => {
  const installed = await examineInstalled(context.environment);
  const [python, server] = await Promise.all([examinePythonPackage(context.environment, installed), examineServer(context)]);
  return [...installed.map(({ row }) => row), python, examineHome(context), await examineArchive(context), server];
};
