import type { Target } from '../../compiler/emit/onnx/profile.ts';
import type { NamedRange } from '../options.ts';

/** The options of `crobc build`, for each target and for what it prints instead. */
export interface BuildOptions {
  readonly model?: string;
  /** For PyTorch alone. */
  readonly recipe?: string;
  readonly set?: readonly string[];
  /** False with --no-weights. */
  readonly weights?: string | false;
  readonly via?: string;
  readonly dtype: 'f32' | 'f16' | 'bf16';
  readonly for: Target;
  readonly target: 'onnx' | 'tfjs' | 'torch' | 'triton';
  readonly seed: number;
  /** Patterns of named values. */
  readonly expose?: readonly string[];
  readonly recompute?: readonly string[];
  readonly printAfter?: string;
  readonly explain?: string;
  readonly graph: 'inference' | 'step';
  /** For Triton alone. */
  readonly maxBatch?: number;
  readonly tensorrt?: boolean;
  readonly range?: readonly NamedRange[];
  readonly out: string;
  readonly json?: boolean;
}
