import { createHash, type Hash, randomBytes } from 'node:crypto';
import { constants, readdirSync, rmSync, statSync } from 'node:fs';
import { chmod, type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { makeFolder } from '../storage/make-folder.ts';
import { describeFileFault, type StoreFault } from '../storage/store-fault.ts';
import { type Artifacts, ArtifactsUnavailableError, CorruptArtifactError, NotAPlainFileError } from './artifacts.ts';

const hashPattern = /^[0-9a-f]{64}$/;
const chunkBytes = 1024 * 1024;
/** A write that takes longer than this was given up by a process that died. */
const abandonedAfterMs = 24 * 3600 * 1000;
// A candidate's process may have made the file: do not follow a link out of its folder, do not wait for a FIFO.
const readPlain = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/**
 * Artifacts as files `<folder>/<first two of the hash>/<hash>`, read-only, each written aside, fsynced and renamed, its folder fsynced too:
 * after `put` resolves, the bytes survive a power loss; before, nothing is seen of them. Any number of processes may share the folder.
 * `put` of what is stored already checks the stored bytes and mends them if they are damaged.
 * Throws ArtifactsUnavailableError where the folder cannot be made, read or written.
 */
export const openFolderArtifacts = (folder: string, { readOnly = false }: { readonly readOnly?: boolean } = {}): Artifacts => {
  const aside = join(folder, 'aside');
  // Who only reads needs no permission to write.
  if (!readOnly)
    guarded(folder, () => {
      makeFolder(aside);
      removeAbandoned(aside);
    });
  const pathOf = (hash: string): string => join(folder, hash.slice(0, 2), hash);
  const guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw translated(folder, error);
    }
  };
  const newAside = (): string => join(aside, `${process.pid}-${randomBytes(8).toString('hex')}`);

  /** Moves a finished file to its address, unless the address holds the same bytes already. */
  const settle = async (temporary: string, hash: string): Promise<string> => {
    const path = pathOf(hash);
    if (await isIntact(path, hash)) {
      await rm(temporary);
      return hash;
    }
    await mkdir(dirname(path), { recursive: true });
    await chmod(temporary, 0o444);
    await rename(temporary, path);
    await syncFolder(dirname(path));
    return hash;
  };
  const store = (fill: (target: FileHandle, hash: Hash) => Promise<void>): Promise<string> =>
    guard(async () => {
      const temporary = newAside();
      return cleaning(temporary, async () => settle(temporary, await writeSynced(temporary, fill)));
    });

  return {
    put: async (bytes) => {
      const data = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
      const hash = createHash('sha256').update(data).digest('hex');
      return guard(async () => {
        if (await isIntact(pathOf(hash), hash)) return hash;
        return store(async (target, digest) => {
          digest.update(data);
          await writeAll(target, data);
        });
      });
    },
    putFile: async (path) => {
      await using source = await openPlain(path);
      return await store((target, digest) => copy(source, target, digest));
    },
    get: (hash) => guard(() => readChecked(pathOf(checked(hash)), hash)),
    getText: async (hash) => {
      const bytes = await guard(() => readChecked(pathOf(checked(hash)), hash));
      return bytes === null ? null : Buffer.from(bytes).toString('utf8');
    },
    getFile: async (hash, path) => {
      const source = await guard(() => openIfThere(pathOf(checked(hash))));
      if (source === null) return false;
      await using from = source;
      // Beside its target, so that the rename stays on one disk.
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(8).toString('hex')}`);
      await cleaning(temporary, async () => {
        const found = await writeSynced(temporary, (target, digest) => copy(from, target, digest));
        if (found !== hash) throw new CorruptArtifactError(hash);
        await rename(temporary, path);
      });
      return true;
    },
    has: (hash) =>
      guard(async () => {
        const file = await openIfThere(pathOf(checked(hash)));
        await file?.close();
        return file !== null;
      }),
  };
};

/** Addresses come from records; a word that is no hash must never become a path. */
const checked = (hash: string): string => {
  if (!hashPattern.test(hash))
    throw new TypeError(`${JSON.stringify(hash)} is no artifact address; right would be 64 lower-case hex digits`);
  return hash;
};

const openPlain = async (path: string): Promise<FileHandle> => {
  let file: FileHandle;
  try {
    file = await open(path, readPlain);
  } catch (error) {
    if (codeOf(error) === 'ELOOP') throw new NotAPlainFileError(path, 'a symbolic link', { cause: error });
    throw error;
  }
  const facts = await file.stat();
  if (facts.isFile()) return file;
  await file.close();
  throw new NotAPlainFileError(path, facts.isDirectory() ? 'a folder' : 'a device, socket or FIFO');
};

const openIfThere = async (path: string): Promise<FileHandle | null> => {
  try {
    return await openPlain(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw error;
  }
};

const readChecked = async (path: string, hash: string): Promise<Uint8Array | null> => {
  const file = await openIfThere(path);
  if (file === null) return null;
  await using source = file;
  const bytes = await source.readFile();
  if (createHash('sha256').update(bytes).digest('hex') !== hash) throw new CorruptArtifactError(hash);
  return bytes;
};

const isIntact = async (path: string, hash: string): Promise<boolean> => {
  const file = await openIfThere(path);
  if (file === null) return false;
  await using source = file;
  const digest = createHash('sha256');
  for await (const chunk of chunksOf(source)) digest.update(chunk);
  return digest.digest('hex') === hash;
};

async function* chunksOf(source: FileHandle): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.allocUnsafe(chunkBytes);
  for (let position = 0; ; ) {
    const { bytesRead } = await source.read(buffer, 0, chunkBytes, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

const copy = async (source: FileHandle, target: FileHandle, digest: Hash): Promise<void> => {
  for await (const chunk of chunksOf(source)) {
    digest.update(chunk);
    await writeAll(target, chunk);
  }
};

/** One write call may take only a part of the bytes. */
const writeAll = async (target: FileHandle, bytes: Uint8Array): Promise<void> => {
  for (let written = 0; written < bytes.length; ) written += (await target.write(bytes, written)).bytesWritten;
};

/** SHA-256 of what was written. */
const writeSynced = async (path: string, fill: (target: FileHandle, hash: Hash) => Promise<void>): Promise<string> => {
  await using target = await open(path, 'wx', 0o644);
  const digest = createHash('sha256');
  await fill(target, digest);
  await target.sync();
  return digest.digest('hex');
};

const cleaning = async <T>(temporary: string, work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
};

const syncFolder = async (path: string): Promise<void> => {
  await using folder = await open(path, 'r');
  await folder.sync();
};

const removeAbandoned = (aside: string): void => {
  for (const name of readdirSync(aside)) {
    const facts = statSync(join(aside, name), { throwIfNoEntry: false });
    if (facts !== undefined && Date.now() - facts.mtimeMs > abandonedAfterMs) rmSync(join(aside, name), { force: true });
  }
};

const guarded = <T>(folder: string, work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw translated(folder, error);
  }
};

const translated = (folder: string, error: unknown): unknown => {
  const fault = describeFileFault(error, 'artifacts folder');
  if (fault === null) return error;
  return new ArtifactsUnavailableError({ ...fault, path: folder, noun: 'artifacts folder' } satisfies StoreFault, error);
};

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
