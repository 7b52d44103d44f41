import type { Genome } from '../../workflows/contracts/genome.ts';
import { type ToolsReply, type ToolsRequest, toolsReplySchema } from '../../workflows/contracts/trial.ts';
import { LineProcess, PythonProcessError } from './line-process.ts';

interface Waiting {
  readonly resolve: (reply: ToolsReply) => void;
  readonly reject: (error: Error) => void;
}

/** The first embedding loads the model, which takes many seconds on a busy machine. */
const replyLimitMs = 180_000;

type WithoutId<T> = T extends unknown ? Omit<T, 'id'> : never;

/**
 * The trusted Python process: emits programs and embeds texts; runs no candidate code. Started on first use, again after it died.
 * Throws PythonProcessError.
 */
export class PythonTools {
  readonly #python: string;
  readonly #waiting = new Map<string, Waiting>();
  #process: LineProcess | null = null;
  #nextId = 0;

  constructor(options: { readonly python: string }) {
    this.#python = options.python;
  }

  /** Readable, self-contained PyTorch program of a legal genome. */
  async emit(genome: Genome, name: string, motivation: string): Promise<string> {
    const reply = await this.#ask({ op: 'emit', genome, name, motivation });
    if (reply.op !== 'emit') throw new PythonProcessError(`Asked to emit, answered ${reply.op}`);
    return reply.program;
  }

  /** No more texts than the schema of a request takes. */
  async embed(texts: readonly string[]): Promise<readonly Float32Array[]> {
    const reply = await this.#ask({ op: 'embed', texts: [...texts] });
    if (reply.op !== 'embed') throw new PythonProcessError(`Asked to embed, answered ${reply.op}`);
    return reply.vectors.map((encoded) => decodeVector(encoded));
  }

  /** Of the process that answers now; undefined while there is none. */
  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async close(): Promise<void> {
    await this.#process?.close();
  }

  #ask(request: WithoutId<ToolsRequest>): Promise<ToolsReply> {
    this.#process ??= new LineProcess({
      python: this.#python,
      args: ['-m', 'asi_kernels', 'tools'],
      onLine: (line) => this.#onReply(line),
      onEnd: (reason) => this.#onEnd(reason),
    });
    const id = `t${this.#nextId++}`;
    const process = this.#process;
    return new Promise((resolve, reject) => {
      // A reply that never comes must not hold up its campaign for ever.
      const timer = setTimeout(() => process.kill(), replyLimitMs);
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          clearTimeout(timer);
          settle(value);
        };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      process.send({ ...request, id });
    });
  }

  #onReply(line: string): void {
    const reply = toolsReplySchema.parse(JSON.parse(line));
    if (reply.id === null) return;
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if (reply.op === 'error') waiting?.reject(new PythonProcessError(reply.message));
    else waiting?.resolve(reply);
  }

  #onEnd(reason: string): void {
    this.#process = null;
    for (const waiting of this.#waiting.values())
      waiting.reject(new PythonProcessError(`The Python tools process stopped: ${reason}`));
    this.#waiting.clear();
  }
}

const decodeVector = (encoded: string): Float32Array => {
  const bytes = Buffer.from(encoded, 'base64');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, index) => view.getFloat32(4 * index, true));
};
