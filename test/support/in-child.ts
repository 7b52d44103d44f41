import { execFile } from 'node:child_process';

/** Runs TypeScript module text in a Node process of its own; answers what it printed, as JSON. */
export const inChild = <T>(program: string, options: { readonly wrap?: readonly string[] } = {}): Promise<T> =>
  new Promise((resolve, reject) => {
    const [file = process.execPath, ...rest] = [
      ...(options.wrap ?? []),
      process.execPath,
      '--input-type=module-typescript',
      '-e',
      program,
    ];
    execFile(file, rest, { encoding: 'utf8', timeout: 60_000 }, (error, stdout, stderr) => {
      if (error !== null) reject(new Error(`the child process failed: ${stderr}`, { cause: error }));
      else resolve(JSON.parse(stdout) as T);
    });
  });

/** Program text that gives up the powers of root, before which no permission is refused. */
export const asNobody = 'if (process.getuid?.() === 0) { process.setgid?.(65534); process.setuid?.(65534); }';
