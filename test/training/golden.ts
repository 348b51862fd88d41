import { readFile } from 'node:fs/promises';
import type { Feeds, HostTensor } from '../../runtime/ort/session.ts';
import { SafetensorsFile } from '../../runtime/weights/safetensors.ts';
import { imageOf, product, uniformOf } from './formula.ts';

/** What test/goldens/make-training.py wrote. */
export interface TrainingGolden {
  readonly sizes: {
    readonly B: number;
    readonly H: number;
    readonly W: number;
    readonly T: number;
    readonly topk: number;
  };
  readonly gradients: {
    readonly loss: number;
    readonly terms: Terms;
    readonly norm: number;
    readonly none: readonly string[];
  };
  readonly runs: readonly {
    readonly lr: number;
    readonly warmup: number;
    readonly clip: number | null;
    readonly steps: readonly {
      readonly learning_rate: number;
      readonly loss: number;
      readonly terms: Terms;
      readonly gradient_norm: number;
    }[];
  }[];
  readonly regularised: { readonly losses: readonly number[] };
  /** In float64, by name. */
  readonly tensors: ReadonlyMap<string, Float64Array>;
}

type Terms = Readonly<Record<string, number>>;

export async function readTrainingGolden(): Promise<TrainingGolden> {
  const file = await SafetensorsFile.open('test/goldens/training.safetensors');
  const tensors = new Map<string, Float64Array>();
  for (const name of file.tensors.keys()) tensors.set(name, new Float64Array((await file.bytes(name)).buffer));
  await file.close();
  return { ...JSON.parse(await readFile('test/goldens/training.json', 'utf8')), tensors };
}

/** Those of a golden's tensors whose names start so, by the rest of their names. */
export function under({ tensors }: TrainingGolden, prefix: string): Map<string, Float64Array> {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** The batch of a step, from 0, for CroBIM. */
export function batchOf({ B, H, W, T }: TrainingGolden['sizes'], step: number): Feeds {
  const used = Uint8Array.from({ length: B * T }, (_, i) => Number(i % T < T - Math.floor(i / T)));
  const words = uniformOf(`tokens ${step}`, B * T);
  const cells = uniformOf(`target ${step}`, (B * H * W) / 64);
  const target = Float32Array.from({ length: B * H * W }, (_, i) => {
    const [x, y] = [i % W, Math.floor(i / W)];
    return Number(cells[Math.floor(y / 8) * (W / 8) + Math.floor(x / 8)]! < 0.3);
  });
  return {
    image: f32([B, 3, H, W], imageOf(`image ${step}`, B * 3 * H * W)),
    tokens: {
      dtype: 'i64',
      shape: [B, T],
      data: BigInt64Array.from(words, (u, i) => BigInt(used[i]! * (1 + Math.floor(u * 2000)))),
    },
    mask: { dtype: 'bool', shape: [B, T], data: used },
    target: f32([B, 1, H, W], target),
  };
}

/** The batch of a step, from 1, for the model with dropout. */
export function smallBatchOf(step: number): Feeds {
  const target = uniformOf(`small target ${step}`, 90).map((u) => Number(u < 0.4));
  return { image: f32([3, 3, 6, 5], imageOf(`small image ${step}`, 270)), target: f32([3, 1, 6, 5], target) };
}

export function f32(shape: readonly number[], data: Float32Array = new Float32Array(product(shape))): HostTensor {
  return { dtype: 'f32', shape, data };
}
