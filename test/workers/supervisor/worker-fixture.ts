/** A worker process without Temporal: the role says how it behaves. */
import { spawn } from 'node:child_process';
import { readHeldBack } from '../../../workers/supervisor/held-back.ts';

const role = process.argv[2] ?? '';
if (role === 'broken') {
  process.stderr.write('this role cannot open its archive\n');
  process.exit(3);
}
// "deaf" heeds neither the closed stdin nor SIGTERM, as a worker that hangs would.
if (role === 'deaf') process.on('SIGTERM', () => undefined);
else {
  process.once('SIGTERM', () => process.exit(0));
  process.stdin.resume().once('end', () => process.exit(0));
}
if (role === 'parent') {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' });
  process.stdout.write(`child ${child.pid}\n`);
}
setInterval(() => undefined, 1_000);
process.stdout.write(`ready ${role}\n`);
process.stdout.write(`key ${process.env.SOME_API_KEY ?? 'withheld'}\n`);
process.stdout.write(`phrase ${process.env.SSH_PASSPHRASE ?? 'withheld'}\n`);
process.stdout.write(`told ${readHeldBack().map(({ name, value }) => `${name}=${value}`)}\n`);
