import type { Config } from '../config.ts';
import { roles } from '../roles/role.ts';
import { findStack, type StopOptions, startStack } from '../supervisor/index.ts';

/** A stack to run a campaign on: the one that is up on this home, or one of our own that ends with us. */
export interface UsableStack {
  readonly temporalAddress: string;
  readonly uiUrl: string;
  readonly namespace: string;
  /** True when it was started here. */
  readonly isOwn: boolean;
  /** `atOnce` kills what does not end by itself; without effect on a stack that is not ours. */
  release(options?: StopOptions): Promise<void>;
}

export const openStack = async (options: {
  readonly config: Config;
  readonly onLine: (line: string) => void;
  readonly signal: AbortSignal;
}): Promise<UsableStack> => {
  const { config, onLine, signal } = options;
  const running = findStack(config.home);
  if (running !== null) {
    onLine(`using the stack that runs already (process ${running.pid})`);
    return { ...running, isOwn: false, release: async () => {} };
  }
  onLine(`starting the Temporal server and ${roles.length} workers in ${config.home}`);
  const stack = await startStack({ config, roles, onLine, freePorts: true, signal });
  return {
    temporalAddress: stack.temporalAddress,
    uiUrl: stack.uiUrl,
    namespace: stack.namespace,
    isOwn: true,
    release: (how) => stack.stop(how),
  };
};
