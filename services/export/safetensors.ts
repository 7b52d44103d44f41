import { type FileHandle, open } from 'node:fs/promises';
import * as z from 'zod';

/** Bytes an element, of the types that the format names (huggingface.co/docs/safetensors). */
/** Bytes of one number, by the format's name of its type. */
export const elementBytes: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  C64: 8,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};
const maxHeaderBytes = 100_000_000;
const copyBytes = 1024 * 1024;

const tensorSchema = z.strictObject({
  dtype: z.enum(Object.keys(elementBytes)),
  shape: z.array(z.int().min(0)),
  data_offsets: z.tuple([z.int().min(0), z.int().min(0)]),
});
const headerSchema = z.record(z.string(), z.unknown());

/** The file does not hold what the safetensors format says. */
export class InvalidSafetensorsError extends Error {
  override readonly name = 'InvalidSafetensorsError';
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super(`${path} is not a safetensors file: ${problem}`, options);
  }
}

export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** First byte in the file, and number of bytes. */
  readonly position: number;
  readonly length: number;
}

/** Names, types and places of the tensors; every place is checked against type, shape and the file's size. Throws InvalidSafetensorsError. */
export const listTensors = async (path: string): Promise<readonly StoredTensor[]> => {
  await using file = await open(path, 'r');
  const { size } = await file.stat();
  const headerBytes = size < 8 ? Number.NaN : Number((await readRange(file, { position: 0, length: 8 })).readBigUInt64LE());
  if (!(headerBytes <= Math.min(maxHeaderBytes, size - 8)))
    throw new InvalidSafetensorsError(path, `its header of ${headerBytes} bytes does not fit into a file of ${size}`);
  const header = parseHeader(path, await readRange(file, { position: 8, length: headerBytes }));
  return Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const parsed = tensorSchema.safeParse(value);
      if (!parsed.success) throw new InvalidSafetensorsError(path, `the entry of ${name} is malformed`, { cause: parsed.error });
      const { dtype, shape, data_offsets: offsets } = parsed.data;
      const length = shape.reduce((product, size) => product * size, elementBytes[dtype] ?? Number.NaN);
      const position = 8 + headerBytes + offsets[0];
      if (offsets[1] - offsets[0] !== length || position + length > size)
        throw new InvalidSafetensorsError(
          path,
          `${name} of type ${dtype} and shape [${shape.join(', ')}] is not at bytes ${offsets.join(' to ')}`,
        );
      return { name, dtype, shape, position, length };
    });
};

/**
 * Writes some tensors of `from` into a new file under new names. The same tensors and names give the same bytes: widest type first, then
 * by name, without gaps, the header padded to eight bytes.
 */
export const writeTensors = async (request: {
  readonly from: string;
  readonly to: string;
  readonly tensors: readonly (StoredTensor & { readonly newName: string })[];
}): Promise<void> => {
  const ordered = [...request.tensors].sort(
    (a, b) => (elementBytes[b.dtype] ?? 0) - (elementBytes[a.dtype] ?? 0) || (a.newName < b.newName ? -1 : 1),
  );
  let offset = 0;
  const entries = ordered.map(({ newName, dtype, shape, length }) => {
    const data_offsets = [offset, offset + length];
    offset += length;
    return [newName, { dtype, shape, data_offsets }] as const;
  });
  const text = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const header = Buffer.concat([text, Buffer.alloc(-text.length & 7, ' ')]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(header.length));
  await using source = await open(request.from, 'r');
  await using target = await open(request.to, 'wx');
  await target.writeFile(Buffer.concat([prefix, header]));
  for (const { position, length } of ordered)
    for (let done = 0; done < length; done += copyBytes)
      await target.writeFile(await readRange(source, { position: position + done, length: Math.min(copyBytes, length - done) }));
  await target.sync();
};

const readRange = async (file: FileHandle, range: { readonly position: number; readonly length: number }): Promise<Buffer> => {
  const bytes = Buffer.alloc(range.length);
  for (let filled = 0; filled < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, filled, bytes.length - filled, range.position + filled);
    if (bytesRead === 0) throw new RangeError(`the file ended at byte ${range.position + filled}`);
    filled += bytesRead;
  }
  return bytes;
};

const parseHeader = (path: string, bytes: Buffer): Record<string, unknown> => {
  try {
    return headerSchema.parse(JSON.parse(bytes.toString('utf8')));
  } catch (error) {
    throw new InvalidSafetensorsError(path, 'its header is no JSON object', { cause: error });
  }
};
