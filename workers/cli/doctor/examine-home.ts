import { existsSync } from 'node:fs';
import { ArchiveUnavailableError } from '../../../services/archive/archive-errors.ts';
import { freeBytes as freeBytesOf } from '../../../services/storage/disk-space.ts';
import { ConfigError } from '../../config.ts';
import { checkUsableHome } from '../../home.ts';
import type { DoctorRow } from '../../view/doctor-lines.ts';
import { bytesText, counted } from '../../view/figures.ts';
import type { CliContext } from '../context.ts';

/** A quick campaign writes some hundred megabytes; less than this ends long ones early. */
const leastFreeBytes = 2e9;

/** The folder of this machine's state: writable, or to be made by the first campaign, with room. */
export const examineHome = (context: CliContext): DoctorRow => {
  const refusal = unusable(() => context.variables());
  if (refusal !== null)
    return { ...missing('environment', refusal), remedy: 'set what it names to what would be right, or unset it' };
  const name = 'state folder';
  const problem = unusable(() => checkUsableHome(context.config().home));
  if (problem !== null) return { ...missing(name, problem), remedy: 'set ASI_HOME to a folder of yours' };
  const { home } = context.config();
  const { isThere } = checkUsableHome(home);
  const freeBytes = freeBytesOf(home);
  const version = `${bytesText(freeBytes)} free`;
  if (freeBytes >= leastFreeBytes)
    return { name, status: 'ok', version, found: isThere ? home : `none yet; the first campaign makes ${home}`, remedy: null };
  const remedy = `free ${bytesText(leastFreeBytes)} on its disk, or set ASI_HOME to a folder on another`;
  return { name, status: 'missing', version, found: `${home} has only ${bytesText(freeBytes)} left`, remedy };
};

const missing = (name: string, found: string) => ({ name, status: 'missing', version: null, found }) as const;

/** Why it is refused; null where it is not. */
const unusable = (look: () => unknown): string | null => {
  try {
    look();
    return null;
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
};

export const examineArchive = async (context: CliContext): Promise<DoctorRow> => {
  const name = 'archive';
  const path = context.archivePath();
  if (!existsSync(path))
    return { name, status: 'note', version: null, found: `none yet; the first campaign makes ${path}`, remedy: null };
  try {
    const campaigns = await context.withArchive((archive) => archive.listCampaigns());
    return { name, status: 'ok', version: counted(campaigns.length, 'campaign'), found: path, remedy: null };
  } catch (error) {
    if (!(error instanceof ArchiveUnavailableError)) throw error;
    return { name, status: 'missing', version: null, found: error.message, remedy: error.remedy };
  }
};
