import type { TrainingPrecision } from '../../compiler/training/recipe.ts';
import type { Device } from '../../runtime/ort/session.ts';
import type { SampleOptions } from '../sample-options.ts';

/** Options of `crobc train`. */
export interface TrainOptions extends SampleOptions {
  readonly model?: string;
  readonly recipe?: string;
  readonly data?: string;
  readonly backend: 'onnx' | 'tfjs' | 'torch';
  readonly python?: string;
  readonly processes?: number;
  readonly precision?: TrainingPrecision;
  readonly fsdp?: boolean;
  readonly crobDraws?: boolean;
  readonly device: Device | 'auto';
  readonly threads?: number;
  readonly decodeThreads?: number;
  readonly steps?: number;
  readonly epochs?: string;
  readonly seed?: number;
  readonly lr?: string;
  readonly batchSize?: number;
  readonly set?: readonly string[];
  readonly recompute?: readonly string[];
  readonly resume?: boolean;
  readonly dryRun?: boolean;
  /** Bytes. */
  readonly deviceMemory?: number;
  readonly weights?: string;
  readonly out: string;
  readonly json?: boolean;
}
