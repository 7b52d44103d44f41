import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InvalidSafetensorsError, listTensors, writeTensors } from '../../../services/export/safetensors.ts';
import { safetensorsFile } from '../../support/safetensors-file.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const numbers = (count: number, first: number): number[] => Array.from({ length: count }, (_, index) => first + index);
const stored = {
  'bytes/1/w': { shape: [2, 3], values: numbers(6, 0) },
  'bytes/1/b': { shape: [], values: [40] },
  'bytes/1/none': { shape: [0, 3], values: [] },
  'bytes/2/w': { shape: [6], values: numbers(6, 100) },
};

const write = (bytes: Uint8Array): string => {
  const path = join(temporaryFolder(), 'file.safetensors');
  writeFileSync(path, bytes);
  return path;
};
/** A file with any header over `dataBytes` zeros. */
const withHeader = (header: string, dataBytes: number): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(dataBytes)]);
};

const contentOf = async (path: string): Promise<Record<string, { shape: readonly number[]; values: number[] }>> => {
  const bytes = readFileSync(path);
  const tensors = await listTensors(path);
  return Object.fromEntries(
    tensors.map(({ name, shape, position, length }) => [
      name,
      { shape, values: Array.from({ length: length / 4 }, (_, index) => bytes.readFloatLE(position + 4 * index)) },
    ]),
  );
};

describe('a safetensors file', () => {
  it('is listed with names, shapes and places', async () => {
    expect(await contentOf(write(safetensorsFile(stored)))).toEqual(stored);
  });

  it('gives chosen tensors under new names, in one order whatever order they were given in', async () => {
    const path = write(safetensorsFile(stored));
    const tensors = (await listTensors(path)).filter(({ name }) => name.startsWith('bytes/1/'));
    const renamed = tensors.map((tensor) => ({ ...tensor, newName: tensor.name.replace('/1/', '/') }));
    const [one, other] = [`${path}.one`, `${path}.other`];
    await writeTensors({ from: path, to: one, tensors: renamed });
    await writeTensors({ from: path, to: other, tensors: renamed.toReversed() });
    expect(await contentOf(one)).toEqual({
      'bytes/b': stored['bytes/1/b'],
      'bytes/none': stored['bytes/1/none'],
      'bytes/w': stored['bytes/1/w'],
    });
    expect(readFileSync(one).equals(readFileSync(other))).toBe(true);
    expect(Number(readFileSync(one).readBigUInt64LE()) % 8).toBe(0);
  });

  it.each([
    ['is empty', Buffer.alloc(0)],
    ['claims a header larger than itself', withHeader('{}', 0).fill(0xff, 0, 8)],
    ['has a header that is no JSON', withHeader('{"a":', 4)],
    ['has a header that is no object', withHeader('[1]', 4)],
    ['names an unknown type', withHeader('{"a":{"dtype":"F12","shape":[1],"data_offsets":[0,4]}}', 4)],
    ['has a tensor past its end', withHeader('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', 4)],
    ['has a place that does not fit the shape', withHeader('{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}', 8)],
    ['has a tensor before its start', withHeader('{"a":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}', 4)],
    ['is cut short', safetensorsFile(stored).subarray(0, -4)],
  ])('is refused when it %s', async (_, bytes) => {
    await expect(listTensors(write(bytes))).rejects.toThrow(InvalidSafetensorsError);
  });
});
