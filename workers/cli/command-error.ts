export const exitCodes = { ok: 0, failed: 1, badInput: 2, incomplete: 3 } as const;

/** Ends the command with one readable message: what is wrong, with which value, and what to do about it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: number;
  constructor(message: string, options: ErrorOptions & { readonly exitCode?: number } = {}) {
    super(message, options);
    this.exitCode = options.exitCode ?? exitCodes.failed;
  }
}

/** The person's input cannot be used. */
export const badInput = (message: string, options?: ErrorOptions): CommandError =>
  new CommandError(message, { ...options, exitCode: exitCodes.badInput });
