import type { ActivityInterfaceFor } from '@temporalio/workflow';

type Activities<A> = { readonly [K in keyof A]: (input: never) => Promise<unknown> };

/** For each activity the line that stands beside its name in the Web UI. */
export type Summaries<A> = { readonly [K in keyof A]: A[K] extends (input: infer I) => unknown ? (input: I) => string : never };

/** The activities of a proxy, each called with the summary of its input. */
export const withSummaries = <A extends Activities<A>>(proxy: ActivityInterfaceFor<A>, summaries: Summaries<A>): A => {
  // Keys and inputs are those of A: the parameters say so, and entries of an object do not.
  const callable = proxy as unknown as Record<string, Executable>;
  const lines = Object.entries(summaries) as [string, (input: unknown) => string][];
  return Object.fromEntries(
    lines.map(([name, line]) => [
      name,
      (input: unknown) => callable[name]?.executeWithOptions({ summary: line(input) }, [input]),
    ]),
  ) as unknown as A;
};

interface Executable {
  executeWithOptions(options: { readonly summary: string }, inputs: readonly [unknown]): Promise<unknown>;
}
