import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Artifacts, CorruptArtifactError, NotAPlainFileError } from '../../../services/artifacts/artifacts.ts';
import { aHash } from '../builders.ts';
import { temporaryFolder } from '../temporary-folder.ts';

export interface ArtifactStore {
  open(): Promise<Artifacts>;
  /** Changes the stored bytes behind the store's back. */
  damage(hash: string): Promise<void>;
}

const sha256 = (bytes: Uint8Array | string): string => createHash('sha256').update(bytes).digest('hex');
/** Larger than any chunk a store may copy by, and no multiple of it. */
const large = Buffer.alloc(3 * 1024 * 1024 + 17, 'large bytes ');

/** What every Artifacts store must do. `create` makes an empty store each time. */
export const artifactsSuite = (name: string, create: () => Promise<ArtifactStore>): void => {
  const fresh = async (): Promise<Artifacts> => (await create()).open();

  describe(`${name} as a store of artifacts`, () => {
    it('gives back any bytes under their SHA-256', async () => {
      const artifacts = await fresh();
      await fc.assert(
        fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
          const hash = await artifacts.put(bytes);
          expect(hash).toBe(sha256(bytes));
          expect(Buffer.from((await artifacts.get(hash)) ?? []).equals(Buffer.from(bytes))).toBe(true);
        }),
        { numRuns: 25 },
      );
    });

    it('gives back text, for later connections too', async () => {
      const store = await create();
      const text = 'def forward(x): # naïve → \u{1F600}\n';
      const hash = await (await store.open()).put(text);
      const later = await store.open();
      expect(await later.getText(hash)).toBe(text);
      expect(await later.has(hash)).toBe(true);
    });

    it('answers null or false for an address that it does not hold', async () => {
      const artifacts = await fresh();
      const target = join(temporaryFolder(), 'file');
      expect(await artifacts.get(aHash('none'))).toBeNull();
      expect(await artifacts.getText(aHash('none'))).toBeNull();
      expect(await artifacts.has(aHash('none'))).toBe(false);
      expect(await artifacts.getFile(aHash('none'), target)).toBe(false);
      expect(existsSync(target)).toBe(false);
    });

    it('refuses a word that is no address before it touches anything', async () => {
      const artifacts = await fresh();
      for (const word of ['../../etc/passwd', '', 'ABC', `${aHash()}/..`, aHash().toUpperCase()]) {
        await expect(artifacts.get(word)).rejects.toThrow(/no artifact address/);
        await expect(artifacts.has(word)).rejects.toThrow(/no artifact address/);
        await expect(artifacts.getFile(word, '/nowhere')).rejects.toThrow(/no artifact address/);
      }
    });

    it('copies files in and out, larger than any buffer', async () => {
      const artifacts = await fresh();
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'in'), large);
      const hash = await artifacts.putFile(join(folder, 'in'));
      expect(hash).toBe(sha256(large));
      writeFileSync(join(folder, 'out'), 'what stood here before');
      expect(await artifacts.getFile(hash, join(folder, 'out'))).toBe(true);
      expect(readFileSync(join(folder, 'out')).equals(large)).toBe(true);
      expect(readdirSync(folder).sort()).toEqual(['in', 'out']);
      expect(await artifacts.put(large)).toBe(hash);
    });

    it('does not take in a link, a folder or what is not there', async () => {
      const artifacts = await fresh();
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'secret'), 'of somebody else');
      symlinkSync(join(folder, 'secret'), join(folder, 'link'));
      mkdirSync(join(folder, 'folder'));
      await expect(artifacts.putFile(join(folder, 'link'))).rejects.toThrow(NotAPlainFileError);
      await expect(artifacts.putFile(join(folder, 'folder'))).rejects.toThrow(/it is a folder/);
      await expect(artifacts.putFile(join(folder, 'none'))).rejects.toThrow(/none/);
      expect(await artifacts.has(sha256('of somebody else'))).toBe(false);
    });

    it('takes the same bytes from many writers at once', async () => {
      const store = await create();
      const connections = await Promise.all(Array.from({ length: 4 }, () => store.open()));
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'in'), large);
      const hashes = await Promise.all(
        connections.flatMap((artifacts) => [artifacts.put(large), artifacts.putFile(join(folder, 'in')), artifacts.put('small')]),
      );
      expect(new Set(hashes)).toEqual(new Set([sha256(large), sha256('small')]));
      expect(await connections[0]?.getText(sha256('small'))).toBe('small');
      expect(Buffer.from((await connections[0]?.get(sha256(large))) ?? []).equals(large)).toBe(true);
    });

    it('never hands out damaged bytes, and mends them when they are put again', async () => {
      const store = await create();
      const artifacts = await store.open();
      const hash = await artifacts.put('weights');
      await store.damage(hash);
      const target = join(temporaryFolder(), 'file');
      await expect(artifacts.get(hash)).rejects.toThrow(CorruptArtifactError);
      await expect(artifacts.getText(hash)).rejects.toThrow(hash);
      await expect(artifacts.getFile(hash, target)).rejects.toThrow(CorruptArtifactError);
      expect(existsSync(target)).toBe(false);
      expect(await artifacts.put('weights')).toBe(hash);
      expect(await artifacts.getText(hash)).toBe('weights');
    });
  });
};
