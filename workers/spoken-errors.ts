import { ArchiveUnavailableError } from '../services/archive/archive-errors.ts';
import { ArtifactsUnavailableError, CorruptArtifactError } from '../services/artifacts/artifacts.ts';
import { ExportRefusedError } from '../services/export/bundle-source.ts';
import { DiskFullError, freeBytes, isDiskFull } from '../services/storage/disk-space.ts';
import { VectorsUnavailableError } from '../services/vectors/vector-index.ts';
import { ConfigError } from './config.ts';
import { EqualPortsError, PortInUseError, StackRunningError, StackStartError } from './supervisor/index.ts';

const spoken = [
  ArchiveUnavailableError,
  ArtifactsUnavailableError,
  ConfigError,
  CorruptArtifactError,
  DiskFullError,
  EqualPortsError,
  ExportRefusedError,
  PortInUseError,
  StackRunningError,
  StackStartError,
  VectorsUnavailableError,
];

/** Whether the message is written for the person at the terminal, so that no stack of calls need be shown. */
export const isSpoken = (error: unknown): error is Error => spoken.some((kind) => error instanceof kind);

/** A full disk is met in many places and forms: the same words for all of them. Any other error as it is. */
export const namingFullDisk = (error: unknown, facts: { readonly home: string; readonly neededBytes: number }): unknown => {
  if (!isDiskFull(error) || error instanceof DiskFullError) return error;
  const { home: folder, neededBytes } = facts;
  return new DiskFullError({ folder, freeBytes: freeBytes(folder), neededBytes }, { cause: error });
};
