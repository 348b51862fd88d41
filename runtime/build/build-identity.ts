import { createHash } from 'node:crypto';
import type { MapRule } from '../../compiler/elaborate/weights/weights-map.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { opTableVersion } from '../../compiler/ops/version.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { codeHash } from '../files/code-hash.ts';

/** Everything that determines a model file: builds with the same identity compute the same. */
export interface BuildParts {
  /** Hash of the graph with its bound sizes. */
  readonly graph: string;
  /** Sizes at which the optimiser compares costs: another recipe of the same model may give another file. */
  readonly expected: Graph['expected'];
  readonly dtype: Precision;
  readonly opset: number;
  readonly profile: Target;
  readonly weights: WeightsIdentity;
}

export type WeightsIdentity =
  | { readonly kind: 'none' }
  | { readonly kind: 'initial'; readonly seed: number }
  | {
      readonly kind: 'file';
      /** SHA-256 of the file. */
      readonly sha256: string;
      /** The rules that map the file's published names, if it has these. */
      readonly rules: readonly MapRule[] | undefined;
    };

/** Returns one hash of all parts of a build, and of crobc's own code. */
export function buildIdentity(parts: BuildParts): string {
  const { graph, dtype, opset, profile, weights } = parts;
  const expected = [...(parts.expected ?? [])].map(([name, size]) => `${name}=${size.key}`).sort();
  const emission = { code: codeHash(), opTable: opTableVersion, opset, profile };
  const all = JSON.stringify({ ...emission, dtype, graph, expected, weights });
  return createHash('sha256').update(all).digest('hex');
}
