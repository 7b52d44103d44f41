import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';

const askMs = 20_000;

/** Versions that a campaign ran with, by name: a result that is measured again elsewhere is compared with them. */
export const versionsOf = (python: string): Record<string, string> => {
  const require = createRequire(import.meta.url);
  const product: { version: string } = require('../../package.json');
  const temporal: { version: string } = require('@temporalio/worker/package.json');
  return {
    'asi-arch': product.version,
    node: process.versions.node,
    temporal: temporal.version,
    ...pythonVersions(python),
  };
};

/** As torch.__version__ says it, without the seconds of importing torch. */
const question = `
import importlib.metadata, importlib.util, os, platform, runpy
folder = os.path.dirname(importlib.util.find_spec('torch').origin)
print(platform.python_version(), runpy.run_path(os.path.join(folder, 'version.py'))['__version__'], importlib.metadata.version('numpy'))
`;

/** Empty where there is no such Python: the jobs that need it say so in words of their own. */
const pythonVersions = (python: string): Record<string, string> => {
  try {
    const text = execFileSync(python, ['-I', '-c', question], {
      encoding: 'utf8',
      timeout: askMs,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [version, torch, numpy] = text.trim().split(' ');
    return version === undefined || torch === undefined || numpy === undefined ? {} : { python: version, torch, numpy };
  } catch (error) {
    if (error instanceof Error) return {};
    throw error;
  }
};
