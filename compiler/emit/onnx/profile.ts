/**
 * What a model is emitted for. `portable` uses only operators of the ONNX specification; the others may use operators
 * and forms that onnxruntime's provider for that device has kernels for.
 */
export type Target = 'portable' | 'cpu' | 'cuda' | 'webgpu';

export const targets = ['portable', 'cpu', 'cuda', 'webgpu'] as const satisfies readonly Target[];

/** Those for training steps have only forms for which the proof of `training/in-place.ts` holds. */
export type Profile = Target | 'cpu-step' | 'cuda-step';

/** The forms that a profile may emit. */
export interface Forms {
  /** What a linear layer computes stays a matrix of rows, rather than being reshaped to the shape that it has in crob. */
  readonly rows: boolean;
  /** Views that only move whole rows, such as a partition into windows, become one Gather of rows. */
  readonly moves: boolean;
  /** Sums and means in one operator, where the kernel does not add numbers one after another. */
  readonly wholeSums: boolean;
  /** Sums over an axis between others are additions or poolings (`middle-sums.ts`). */
  readonly middleSums: boolean;
  /** Additions of values of one shape are one Sum. */
  readonly additions: boolean;
  /** Weighted sums over samples of images are a DeformConv (`fused/sampled-sums.ts`). */
  readonly deformed: boolean;
  /** com.microsoft.SkipLayerNormalization, which adds the residual and the bias before it. */
  readonly skipNorm: boolean;
  /** com.microsoft.BiasGelu, which adds the bias before it. */
  readonly biasGelu: boolean;
  /** com.microsoft.Attention: projections, scores, bias, softmax and mixture of one attention. */
  readonly attention: boolean;
  /** Norms and softmax on half precision, where their kernels compute in float32 inside. */
  readonly halfNorms: boolean;
}

const none: Forms = {
  ...{ rows: false, moves: false, wholeSums: false, middleSums: false, additions: false, deformed: false },
  ...{ skipNorm: false, biasGelu: false, attention: false, halfNorms: false },
};

/** The forms of each profile. Those of `cuda` are chosen by the number of kernels that onnxruntime starts (1.30). */
export const formsOf: Readonly<Record<Profile, Forms>> = {
  portable: none,
  cpu: { ...none, rows: true, moves: true, deformed: true },
  cuda: {
    ...{ rows: true, moves: true, wholeSums: true, middleSums: true, additions: true, deformed: true },
    ...{ skipNorm: true, biasGelu: true, attention: true, halfNorms: true },
  },
  webgpu: { ...none, rows: true, moves: true },
  'cpu-step': { ...none, deformed: true },
  'cuda-step': { ...none, moves: true, wholeSums: true, middleSums: true, deformed: true },
};
