import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { opNames } from '../../../compiler/ops/table.ts';
import type { Request } from './request.ts';

/** What a graph came to: its outputs, then the gradients; or why PyTorch cannot be compared here. */
export type Evaluated =
  | { readonly kind: 'results'; readonly tensors: readonly Numbers[] }
  | { readonly kind: 'unclear'; readonly why: string };

export interface Numbers {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

/** A Python that has PyTorch, or why there is none. */
export type Found = { readonly python: string; readonly version: string } | { readonly absent: string };

type Answer =
  | { readonly absent: string }
  | { readonly version: string; readonly operators: readonly string[] }
  | { readonly unclear: string }
  | { readonly error: string }
  | { readonly shapes: readonly (readonly number[])[] };

interface Message {
  readonly text: Answer;
  readonly data: Buffer;
}

const script = join(process.cwd(), 'test/fuzz/pytorch/evaluate.py');

/** The Python that is asked: `CROBC_PYTHON`, or `python3`. */
export const namedPython = (): string => process.env.CROBC_PYTHON || 'python3';

/** Starts a Python to see whether it has PyTorch, with an entry for every operator. */
export async function findPyTorch(python = namedPython()): Promise<Found> {
  const started = new Started(python);
  try {
    return { python, version: await started.version };
  } catch (error) {
    if (error instanceof Absent) return { absent: error.message };
    throw error;
  } finally {
    started.end();
  }
}

class Absent extends Error {}

/** A Python with PyTorch that evaluates one graph after the other. One that ends is started anew for the next. */
export class PyTorch {
  readonly #python: string;
  #started: Started | undefined;

  constructor(python: string) {
    this.#python = python;
  }

  async evaluate({ text, data }: Request): Promise<Evaluated> {
    if (this.#started?.ended) this.#started = undefined;
    this.#started ??= new Started(this.#python);
    await this.#started.version;
    const answer = await this.#started.ask(text, data);
    if ('unclear' in answer.text) return { kind: 'unclear', why: answer.text.unclear };
    if ('error' in answer.text) throw new Error(answer.text.error);
    if (!('shapes' in answer.text)) throw new Error(`PyTorch answers ${JSON.stringify(answer.text)}`);
    // Copied, because a buffer's memory need not be aligned.
    const elements = new Float64Array(Uint8Array.from(answer.data).buffer);
    let at = 0;
    const tensors = answer.text.shapes.map((shape) => {
      const size = shape.reduce((product, n) => product * n, 1);
      at += size;
      return { shape, data: elements.subarray(at - size, at) };
    });
    return { kind: 'results', tensors };
  }

  end(): void {
    this.#started?.end();
    this.#started = undefined;
  }
}

class Started {
  readonly version: Promise<string>;
  readonly #child: ChildProcess;
  readonly #waiting: { readonly resolve: (message: Message) => void; readonly reject: (error: Error) => void }[] = [];
  #parts: Buffer[] = [];
  #held = 0;
  #ended: Error | undefined;

  constructor(python: string) {
    this.#child = spawn(python, ['-B', '-W', 'ignore', script], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.stdout?.on('data', (part: Buffer) => this.#receive(part));
    this.#child.on('error', (error) => this.#fail(new Absent(`${python} does not start: ${error.message}`)));
    this.#child.on('close', (code, signal) => this.#fail(new Error(`the Python process ended by ${signal ?? code}`)));
    // `close` reports its end.
    this.#child.stdin?.on('error', () => {});
    this.version = this.#next().then(({ text }) => checked(text, python));
    // A caller that ends it first does not wait for it.
    this.version.catch(() => {});
  }

  get ended(): boolean {
    return this.#ended !== undefined;
  }

  ask(text: string, data: Uint8Array): Promise<Message> {
    const json = Buffer.from(text);
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(json.length, 0);
    lengths.writeUInt32LE(data.length, 4);
    const answer = this.#next();
    this.#child.stdin?.write(Buffer.concat([lengths, json, data]));
    return answer;
  }

  end(): void {
    this.#child.stdin?.end();
    this.#child.kill();
  }

  #next(): Promise<Message> {
    if (this.#ended) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  #fail(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#ended);
  }

  #receive(part: Buffer): void {
    this.#parts.push(part);
    this.#held += part.length;
    while (this.#held >= 8) {
      const all = this.#parts.length === 1 ? (this.#parts[0] as Buffer) : Buffer.concat(this.#parts);
      this.#parts = [all];
      const [text, data] = [all.readUInt32LE(0), all.readUInt32LE(4)];
      const end = 8 + text + data;
      if (this.#held < end) return;
      this.#parts = [all.subarray(end)];
      this.#held -= end;
      const message = { text: JSON.parse(all.toString('utf8', 8, 8 + text)), data: all.subarray(8 + text, end) };
      this.#waiting.shift()?.resolve(message);
    }
  }
}

/** The version; an operator that only one side knows is an error. */
function checked(answer: Answer, python: string): string {
  if ('absent' in answer) throw new Absent(`${python} has no PyTorch: ${answer.absent}`);
  if (!('version' in answer)) throw new Error(`PyTorch answers ${JSON.stringify(answer)}`);
  const known = new Set(answer.operators);
  const missing = opNames.filter((name) => !known.delete(name));
  if (missing.length > 0 || known.size > 0)
    throw new Error(`operators.py lacks ${missing.join(', ') || 'none'}, and crobc has no ${[...known].join(', ')}`);
  return answer.version;
}
