import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Writable } from 'node:stream';
import { BundleLoader } from '../../cli/bundle-loader.ts';
import type { Clock } from '../../cli/io.ts';
import type { Signals } from '../../runtime/process/signals.ts';

/** The built program; CROBC_MAIN names another build, an installed one for instance. */
export const main = resolve(process.env.CROBC_MAIN ?? 'dist/bin/crobc.cjs');

if (!existsSync(main)) {
  throw new Error(`${main} is not there: these tests run the built program, so build it first (npm run build)`);
}

export interface Ran {
  readonly code: number;
  /** What went to standard output, and to standard error. */
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  readonly cwd?: string;
  /** On top of the tests' own environment, from which everything about colour is taken out; what is undefined is taken out too. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface CallOptions extends RunOptions {
  readonly clock?: Clock;
  /** Columns of the terminal that both streams are; none when not given. */
  readonly columns?: number;
  readonly signals?: Signals;
}

/** The program's own `run`, of the bundle that the program loads. */
const { run } = new BundleLoader(dirname(main)).load('main.cjs') as typeof import('../../cli/main.ts');

/** Runs in this process have one working folder: each waits for the one before. */
let before: Promise<unknown> = Promise.resolve();

/**
 * Runs crobc in this process. What native libraries print themselves, limits of a process and signals that it ends by need one of
 * its own: `crobcProcess`.
 */
export async function crobc(args: readonly string[], options: CallOptions = {}): Promise<Ran> {
  const { code, out, err } = await crobcShown(args, options);
  return { code, out, err };
}

export interface Shown extends Ran {
  /** Both streams as a terminal shows them, in the order of what was written. */
  readonly all: string;
}

export function crobcShown(args: readonly string[], options: CallOptions = {}): Promise<Shown> {
  const ran = before.then(() => call(args, options));
  before = ran.catch(() => undefined);
  return ran;
}

async function call(args: readonly string[], options: CallOptions): Promise<Shown> {
  const { cwd = process.cwd(), clock = { now: () => performance.now() }, signals = noSignals, columns } = options;
  const all: string[] = [];
  const [stdout, stderr] = [screen(columns, all), screen(columns, all)];
  const environment = environmentOf(options);
  const home = process.cwd();
  process.chdir(cwd);
  try {
    const code = await run(args, { stdout, stderr, cwd, environment, signals }, clock);
    return { code, out: stdout.text(), err: stderr.text(), all: all.join('') };
  } finally {
    process.chdir(home);
  }
}

/** Nobody sends any to a run in this process, which is not to end with it. */
const noSignals: Signals = {
  on: () => undefined,
  off: () => undefined,
  end: (status) => {
    throw new Error(`ends with ${status}`);
  },
};

/** A stream that remembers; a terminal if it has columns. */
function screen(columns: number | undefined, all: string[]) {
  const written: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      all.push(String(chunk));
      done();
    },
  });
  const terminal = columns === undefined ? { isTTY: false } : { isTTY: true, columns };
  return Object.assign(stream, { ...terminal, text: () => written.join('') });
}

function environmentOf({ env = {} }: RunOptions) {
  const { NO_COLOR: _, FORCE_COLOR: __, ...inherited } = process.env;
  // Progress depends on how fast a machine is.
  return { ...inherited, CROBC_PROGRESS: 'off', ...env };
}

export interface ProcessOptions extends RunOptions {
  /** Another installation's program. */
  readonly main?: string;
  /** Bytes that the disk has left; no limit when not given. */
  readonly disk?: number;
  /** Shell words in front, such as `ulimit -f 64;`. */
  readonly shell?: string;
}

/** Runs crobc as a process of its own, to its end. A signal counts as code -1. */
export function crobcProcess(args: readonly string[], options: ProcessOptions = {}): Promise<Ran> {
  const { disk } = options;
  const layer = disk === undefined ? [] : ['--import', new URL('./small-disk.mjs', import.meta.url).href];
  const command = [process.execPath, ...layer, options.main ?? main, ...args];
  const [file, ...rest] =
    options.shell === undefined ? command : ['/bin/sh', '-c', `${options.shell} exec "$@"`, 'sh', ...command];
  return new Promise((done, fail) => {
    const child = spawn(file!, rest, {
      cwd: options.cwd ?? process.cwd(),
      env: { ...environmentOf(options), ...(disk === undefined ? {} : { SMALL_DISK: String(disk) }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.on('error', fail);
    child.on('close', (code) => done({ code: code ?? -1, out, err }));
  });
}

/** A model that compiles in a moment: scores each patch of an image by its product with the sum of the words. */
export const tiny = `/// Scores patches by words.
model Tiny where H % 4 == 0, W % 4 == 0, T <= 20 {
  table = Embedding(2560, 8)
  patch = Conv2d(3, 8, 4, stride = 4)

  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]

  let words = table(i32(tokens)) * rearrange(f32(mask), "b t -> b t 1")
  let score = einsum("b d h w, b d -> b h w", patch(image), sum(words, "b t d -> b d"))

  output logits: f32[B, 1, H, W] = resize(rearrange(score, "b h w -> b 1 h w"), [H, W])
}

recipe small for Tiny at B = 2, H = 32, W = 32, T = 8 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = AdamW(lr = 1e-3)
  epochs = 1
}
`;

/** A model with so many weights that they lie in a file of their own. */
export const wide = `model Wide {
  layer = Linear(600, 600)
  input x: f32[B, 600]
  output y = layer(x)
}
`;

/** Two mistakes, the second of shape. */
export const wrong = `model Wrong where H % 4 == 0, W % 4 == 0 {
  patch = Conv2d(3, 8, 4, stride = 4, stirde = 2)
  input image: f32[B, 3, H, W]
  output y = image
}

fn twice(x: f32[B, N]) -> f32[B, N] = concat([x, x], "b *")

model Twice {
  input x: f32[B, N]
  output y = twice(x)
}
`;
