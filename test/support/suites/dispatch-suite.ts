import { describe } from 'vitest';
import { callerTests } from './dispatch/callers.ts';
import { endTests } from './dispatch/ends.ts';
import type { CreateDispatch } from './dispatch/harness.ts';
import { slotTests } from './dispatch/slots.ts';
import { suspectTests } from './dispatch/suspects.ts';

/** What every TrialDispatcher must do, wherever its queue lies. `create` gives one without jobs each time. */
export const dispatchSuite = (name: string, create: CreateDispatch): void => {
  describe(`${name} as a dispatcher`, () => {
    slotTests(create);
    callerTests(create);
    endTests(create);
    suspectTests(create);
  });
};
