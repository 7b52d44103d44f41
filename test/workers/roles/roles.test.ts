import { describe, expect, it } from 'vitest';
import { InstantHost } from '../../../workers/bench/instant-host.ts';
import { InstantJudge } from '../../../workers/bench/instant-judge.ts';
import { readConfig } from '../../../workers/config.ts';
import { openRole } from '../../../workers/roles/roles.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

/** Its first start fails, as that of a machine without memory does. */
class CountingHost extends InstantHost {
  numStarts = 0;

  override async start() {
    this.numStarts += 1;
    if (this.numStarts === 1) throw new Error('no memory');
    return await super.start();
  }
}

describe('a worker that runs programs', () => {
  it.each(['checker', 'trainer'] as const)('starts the host of the %s before a job asks for it', async (role) => {
    const host = new CountingHost();
    const config = { ...readConfig(), home: temporaryFolder() };
    const opened = await openRole(
      role,
      config,
      () => host,
      () => new InstantJudge(),
    );
    expect(host.numStarts).toBe(1);
    // A start that fails is nobody's rejection: the first job starts it again, and says so if it fails once more.
    await opened.close();
  });
});
