import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

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
  /** Another installation's program. */
  readonly main?: string;
  readonly cwd?: string;
  /** On top of the tests' own environment, from which everything about colour is taken out. */
  readonly env?: Readonly<Record<string, string>>;
  /** Bytes that the disk has left; no limit when not given. */
  readonly disk?: number;
  /** Shell words in front, such as `ulimit -f 64;`. */
  readonly shell?: string;
}

/** Runs crobc to its end. A signal counts as code -1. */
export function crobc(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { NO_COLOR: _, FORCE_COLOR: __, ...env } = { ...process.env };
  const { disk } = options;
  const layer = disk === undefined ? [] : ['--import', new URL('./small-disk.mjs', import.meta.url).href];
  const command = [process.execPath, ...layer, options.main ?? main, ...args];
  const [file, ...rest] =
    options.shell === undefined ? command : ['/bin/sh', '-c', `${options.shell} exec "$@"`, 'sh', ...command];
  return new Promise((done, fail) => {
    const child = spawn(file!, rest, {
      cwd: options.cwd ?? process.cwd(),
      // Progress depends on how fast a machine is.
      env: {
        ...env,
        CROBC_PROGRESS: 'off',
        ...options.env,
        ...(disk === undefined ? {} : { SMALL_DISK: String(disk) }),
      },
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
