import { spawn } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const checkout = fileURLToPath(new URL('../..', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  readonly output: () => string;
}

/**
 * A machine for the set-up: an own checkout with the real set-up code, an empty cache, and a PATH with nothing on it but the programs that
 * a test puts there. The programs record how they are called.
 */
export class FakeMachine {
  readonly root = mkdtempSync(join(tmpdir(), 'asi-setup-'));
  readonly checkout = join(this.root, 'checkout');
  readonly cache = join(this.root, 'cache');
  readonly programs = join(this.root, 'programs');
  readonly #calls = join(this.root, 'calls.log');

  constructor() {
    mkdirSync(this.programs);
    cpSync(join(checkout, 'infra'), join(this.checkout, 'infra'), { recursive: true });
    mkdirSync(join(this.checkout, 'kernels'));
    writeFileSync(join(this.checkout, 'kernels', 'requirements.lock'), 'torch==2.13.0\n');
    writeFileSync(join(this.checkout, 'package.json'), '{"type":"module"}');
    this.lockPackages({ 'node_modules/left': { version: '1.0.0' }, 'node_modules/right': { version: '2.0.0' } });
  }

  /** Writes the lockfile of the checkout. */
  lockPackages(packages: Record<string, { version: string; optional?: boolean }>): void {
    writeFileSync(
      join(this.checkout, 'package-lock.json'),
      JSON.stringify({ lockfileVersion: 3, packages: { '': {}, ...packages } }),
    );
  }

  /** A program on PATH; `body` is a shell script. */
  addProgram(name: string, body: string): string {
    const path = join(this.programs, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >> '${this.#calls}'\n${body}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** npm, Python with uv, and the Temporal CLI, all of them quick and well. */
  addHealthyPrograms(): void {
    this.addProgram('npm', npmScript());
    this.addProgram('python3', 'printf "%s\\n3.12.4\\n" "$0"');
    this.addProgram('uv', uvScript());
    this.addProgram('temporal', 'echo "temporal version 1.8.2 (Server 1.31.2, UI 2.50.1)"');
  }

  /** How often a program was called with words that begin so. */
  countCalls(beginning: string): number {
    if (!existsSync(this.#calls)) return 0;
    return readFileSync(this.#calls, 'utf8')
      .split('\n')
      .filter((line) => line.startsWith(beginning)).length;
  }

  start(parameters: readonly string[] = [], environment: NodeJS.ProcessEnv = {}, entry = 'infra/setup/main.mjs'): Started {
    // The shell's own tools stay reachable for the scripts above; none of them is a program that the set-up looks for.
    const tools = join(this.root, 'tools');
    linkTools(tools);
    const child = spawn(process.execPath, [join(this.checkout, entry), ...parameters], {
      cwd: this.checkout,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        HOME: this.root,
        ASI_CACHE: this.cache,
        ASI_TEMPORAL_RELEASES: 'http://127.0.0.1:9',
        PATH: `${this.programs}:${tools}`,
        ...environment,
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
    const ended = new Promise<Ended>((resolve) => child.once('close', (code, signal) => resolve({ code, signal, output })));
    if (child.pid === undefined) throw new Error('node did not start');
    return { pid: child.pid, ended, output: () => output };
  }

  async run(parameters: readonly string[] = [], environment: NodeJS.ProcessEnv = {}, entry?: string): Promise<Ended> {
    return this.start(parameters, environment, entry).ended;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const TOOLS = ['cat', 'cp', 'echo', 'gzip', 'mkdir', 'rm', 'sed', 'sh', 'sleep', 'tar', 'touch'];

const linkTools = (folder: string): void => {
  if (existsSync(folder)) return;
  mkdirSync(folder);
  for (const tool of TOOLS) {
    const path = ['/usr/bin', '/bin'].map((place) => join(place, tool)).find((candidate) => existsSync(candidate));
    if (path === undefined) throw new Error(`this machine has no ${tool}`);
    writeFileSync(join(folder, tool), `#!/bin/sh\nexec ${path} "$@"\n`);
    chmodSync(join(folder, tool), 0o755);
  }
};

/** `npm ci`: folders as the lockfile of the current folder names them, and npm's own list of them last. */
export const npmScript = (): string => `
'${process.execPath}' -e '
  const { mkdirSync, readFileSync, rmSync, writeFileSync } = require("node:fs");
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8"));
  rmSync("node_modules", { recursive: true, force: true });
  for (const path of Object.keys(packages).filter((path) => path !== "")) {
    mkdirSync(path + "/bin", { recursive: true });
    writeFileSync(path + "/package.json", "{}");
    writeFileSync(path + "/bin/node", "#!/bin/sh\\necho v" + packages[path].version + "\\n", { mode: 0o755 });
  }
  writeFileSync("node_modules/.package-lock.json", JSON.stringify({ packages }));
'`;

/** \`uv venv\` and \`uv pip sync\`: an environment whose Python answers as a good one does. */
export const uvScript = (beforeSync = ''): string => `
case "$1" in
  --version) echo 'uv 0.13.8' ;;
  venv)
    for folder; do :; done
    mkdir -p "$folder/bin" "$folder/lib/python3.12/site-packages"
    printf '#!/bin/sh\\necho %s\\n' "'{\\"python\\":\\"3.12.4\\",\\"torch\\":\\"2.13.0\\"}'" > "$folder/bin/python"
    '${process.execPath}' -e 'require("node:fs").chmodSync(process.argv[1], 0o755)' "$folder/bin/python"
    ;;
  pip)
    ${beforeSync}
    folder=\${7%/bin/python}
    mkdir "$folder/lib/python3.12/site-packages/torch-2.13.0.dist-info"
    ;;
esac`;
