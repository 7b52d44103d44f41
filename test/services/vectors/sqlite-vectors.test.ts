import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openSqliteVectors } from '../../../services/vectors/sqlite-vectors.ts';
import { VectorsUnavailableError } from '../../../services/vectors/vector-index.ts';
import { inChild } from '../../support/in-child.ts';
import { vectorsSuite } from '../../support/suites/vectors-suite.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

vectorsSuite('a SQLite file', async () => {
  const path = join(temporaryFolder(), 'vectors.db');
  return { open: async () => openSqliteVectors(path) };
});

describe('a file of vectors', () => {
  it('finds what another process put while it was open', async () => {
    const path = join(temporaryFolder(), 'vectors.db');
    const index = openSqliteVectors(path);
    const query = { scope: 's', vector: new Float32Array([1, 0]), limit: 3 };
    expect(await index.nearest('code', query)).toEqual([]);
    await inChild(`
      import { openSqliteVectors } from '${new URL('../../../services/vectors/sqlite-vectors.ts', import.meta.url).href}';
      const index = openSqliteVectors('${path}');
      for (let row = 0; row < 100; row++) await index.put('code', { id: 'v' + row, scope: 's', vector: new Float32Array([row, 50]) });
      console.log('null');`);
    expect((await index.nearest('code', query)).map(({ id }) => id)).toEqual(['v99', 'v98', 'v97']);
    await index.close();
  });

  it('is refused when it is something else', () => {
    const path = join(temporaryFolder(), 'vectors.db');
    writeFileSync(path, 'no database '.repeat(100));
    expect(() => openSqliteVectors(path)).toThrow(VectorsUnavailableError);
    expect(() => openSqliteVectors(path)).toThrow(`The vector index ${path} cannot be used`);
  });
});
