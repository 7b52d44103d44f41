import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteArchive } from '../../../services/archive/sqlite-archive.ts';
import { archiveSuite } from '../../support/suites/archive-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

archiveSuite('a SQLite file', async () => {
  const location = join(temporaryFolder(), 'archive.db');
  return {
    open: async () => openSqliteArchive(location),
    opener: {
      module: fileURLToPath(new URL('../../../services/archive/sqlite-archive.ts', import.meta.url)),
      name: 'openSqliteArchive',
      location,
    },
  };
});
