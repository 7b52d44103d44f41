import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { elementBytes } from '../../../services/export/safetensors.ts';

it('can export every type of number that a trained model may have', () => {
  const python = readFileSync(new URL('../../../kernels/asi_kernels/snapshot_layout.py', import.meta.url), 'utf8');
  const table = /TYPE_BYTES = \{([^}]*)\}/.exec(python)?.[1] ?? '';
  const trained = [...table.matchAll(/"(\w+)": (\d+)/g)].map(([, name = '', bytes]) => [name, Number(bytes)] as const);
  expect(trained.length).toBeGreaterThan(8);
  expect(elementBytes).toMatchObject(Object.fromEntries(trained));
});
