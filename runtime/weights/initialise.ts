import { createHash } from 'node:crypto';
import type { Init } from '../../compiler/ir/graph.ts';
import { type InitialiserName, initialisers, isInitialiser } from '../../compiler/ir/initialisers.ts';
import { UserError } from '../files/user-error.ts';
import { normalFill, normalProbability, normalQuantile } from '../tensors/normal-quantile.ts';
import { type PhiloxKey, philoxFill } from '../tensors/philox.ts';
import type { WeightSource } from './weights.ts';

/** A weight to be initialised. */
export interface InitialisedWeight {
  readonly path: string;
  readonly shape: readonly number[];
  readonly init: Init;
}

/** Number of words drawn at a time; a multiple of four. */
const CHUNK = 1 << 14;

/** A 32-bit draw never exceeds this number of standard deviations, so a wider truncation has no effect. */
const REACH = 6.4;

/** Returns the initial weights of a graph. Each depends only on (seed, path), not on other weights. */
export function initialWeights(weights: Iterable<InitialisedWeight>, seed: number): WeightSource {
  const byPath = new Map<string, InitialisedWeight>();
  for (const weight of weights) byPath.set(weight.path, weight);
  return {
    read(path) {
      const weight = byPath.get(path);
      if (weight === undefined) throw new Error(`bug in crobc: no initialiser is known for the weight ${path}`);
      return initialWeight(weight, seed);
    },
  };
}

/** Returns one weight, row-major. Throws a UserError if the initialiser does not fit the shape. */
export function initialWeight({ path, shape, init }: InitialisedWeight, seed: number): Float32Array {
  if (!isInitialiser(init.name)) throw new Error(`bug in crobc: unknown initialiser ${init.name} of ${path}`);
  const row = initialisers[init.name];
  const at = (name: string): number => {
    const given = init.args[name] ?? row.arguments.find((argument) => argument.name === name)?.default;
    if (typeof given !== 'number') throw new Error(`bug in crobc: ${init.name} of ${path} lacks its argument ${name}`);
    return given;
  };
  const fault = row.fault(at, shape);
  if (fault !== undefined) throw new UserError(`weight ${path}: ${init.name}: ${fault}`);
  const out = new Float32Array(shape.reduce((product, d) => product * d, 1));
  draws[init.name](out, at, shape, () => keyOf(seed, path));
  return out;
}

type Draw = (out: Float32Array, at: (name: string) => number, shape: readonly number[], key: () => PhiloxKey) => void;

const draws: Readonly<Record<InitialiserName, Draw>> = {
  zeros: () => undefined,
  ones: (out) => void out.fill(1),
  constant: (out, at) => void out.fill(at('value')),
  normal: (out, at, _shape, key) => {
    const [std, mean] = [at('std'), at('mean')];
    inChunks(out, key(), (part, words) => normalFill(part, words, std, mean));
  },
  trunc_normal: (out, at, _shape, key) => truncatedNormal(out, at('std'), at('mean'), at('a'), at('b'), key()),
  uniform: (out, at, _shape, key) => uniform(out, at('low'), at('high'), key()),
  xavier_uniform: (out, at, shape, key) => {
    const { fanIn, fanOut } = fans(shape);
    const bound = at('gain') * Math.sqrt(6 / (fanIn + fanOut));
    uniform(out, -bound, bound, key());
  },
  kaiming_uniform: (out, at, shape, key) => {
    const bound = Math.sqrt(6 / ((1 + at('a') * at('a')) * fans(shape).fanIn));
    uniform(out, -bound, bound, key());
  },
  ring: (out, at) => ring(out, at('heads'), at('levels'), at('points')),
};

/**
 * Same as `torch.nn.init._calculate_fan_in_and_fan_out`: axis 0 is out, axis 1 is in, the rest is the receptive field.
 */
function fans(shape: readonly number[]): { readonly fanIn: number; readonly fanOut: number } {
  const field = shape.slice(2).reduce((product, d) => product * d, 1);
  return { fanIn: (shape[1] ?? 1) * field, fanOut: (shape[0] ?? 1) * field };
}

function keyOf(seed: number, path: string): PhiloxKey {
  const digest = createHash('sha256').update(`crob weight\n${seed}\n${path}`).digest();
  const word = (i: number) => digest.readUInt32LE(i * 4);
  return { key: [word(0), word(1)], stream: [word(2), word(3)] };
}

function inChunks(out: Float32Array, key: PhiloxKey, fill: (part: Float32Array, words: Uint32Array) => void): void {
  const words = new Uint32Array(Math.min(CHUNK, Math.ceil(out.length / 4) * 4));
  for (let start = 0; start < out.length; start += CHUNK) {
    philoxFill(words, key, start / 4);
    fill(out.subarray(start, start + CHUNK), words);
  }
}

function uniform(out: Float32Array, low: number, high: number, key: PhiloxKey): void {
  const scale = (high - low) / 2 ** 32;
  inChunks(out, key, (part, words) => {
    for (let i = 0; i < part.length; i++) part[i] = low + (words[i]! + 0.5) * scale;
  });
}

function truncatedNormal(out: Float32Array, std: number, mean: number, a: number, b: number, key: PhiloxKey): void {
  if (std === 0) {
    out.fill(Math.min(b, Math.max(a, mean)));
    return;
  }
  const [from, to] = [(a - mean) / std, (b - mean) / std];
  if (from <= -REACH && to >= REACH) {
    inChunks(out, key, (part, words) => normalFill(part, words, std, mean));
    return;
  }
  // Inverse transform sampling in the lower tail, where small probabilities keep their precision.
  const mirrored = from > 0;
  const [lower, upper] = mirrored ? [-to, -from] : [from, to];
  const [first, last] = [normalProbability(lower), normalProbability(upper)];
  const width = (last - first) / 2 ** 32;
  const sign = mirrored ? -std : std;
  inChunks(out, key, (part, words) => {
    for (let i = 0; i < part.length; i++) {
      const p = first + (words[i]! + 0.5) * width;
      const z = p > 0 && p < 1 ? normalQuantile(p) : p <= 0 ? lower : upper;
      part[i] = Math.min(b, Math.max(a, mean + sign * z));
    }
  });
}

/** Deformable DETR's `sampling_offsets.bias`: theta = 2πh/heads, (cos, sin) / max(|cos|, |sin|), times point + 1. */
function ring(out: Float32Array, heads: number, levels: number, points: number): void {
  let at = 0;
  for (let head = 0; head < heads; head++) {
    const [x, y] = squareDirection(head / heads);
    for (let level = 0; level < levels; level++) {
      for (let point = 1; point <= points; point++) {
        out[at++] = x * point;
        out[at++] = y * point;
      }
    }
  }
}

/**
 * Returns the point at `turn` (0…1) of a full turn on the border of the square [-1, 1]². Exact for eighths of a turn.
 */
function squareDirection(turn: number): readonly [number, number] {
  const eighth = Math.round(turn * 4);
  const tan = tangent((turn - eighth / 4) * 2 * Math.PI);
  switch (eighth % 4) {
    case 0:
      return [1, tan];
    case 1:
      return [0 - tan, 1];
    case 2:
      return [-1, 0 - tan];
    default:
      return [tan, -1];
  }
}

/** tan on [-π/4, π/4] by Lambert's continued fraction, only with + - * /, so it is the same on every machine. */
function tangent(x: number): number {
  if (Math.abs(x) === Math.PI / 4) return Math.sign(x);
  const square = x * x;
  let fraction = 23;
  for (let k = 21; k >= 1; k -= 2) fraction = k - square / fraction;
  return x === 0 ? 0 : x / fraction;
}
