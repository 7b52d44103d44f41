import { join } from 'node:path';
import { openSqliteArchive } from '../../services/archive/sqlite-archive.ts';
import { openFolderArtifacts } from '../../services/artifacts/folder-artifacts.ts';
import { createDiscoveryActivities } from '../../workers/activities/discovery.ts';

/** The real activities of the record on an archive in this folder, at a fixed time. Close the archive. */
export const discoveryOn = (folder: string) => {
  const archive = openSqliteArchive(join(folder, 'archive.db'));
  const activities = createDiscoveryActivities({
    archive,
    artifacts: openFolderArtifacts(join(folder, 'artifacts')),
    python: 'python3',
    workFolder: join(folder, 'work'),
    dataFolder: folder,
    judgeFolder: folder,
    credentialProblem: () => null,
    reportsFolder: folder,
    bundlesFolder: folder,
    scoreLists: async () => [],
    versions: {},
    now: () => new Date('2026-01-02T03:04:05Z'),
  });
  return { archive, activities };
};
