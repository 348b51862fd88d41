import { bytesPerElement } from '../../compiler/graphs/liveness.ts';
import type { Node, Value } from '../../compiler/ir/graph.ts';
import { staticShape } from '../../compiler/ir/shapes.ts';
import type { StepGraph } from '../../compiler/training/step-graph.ts';

/**
 * Bytes of a GPU that CUDA takes for itself: its context, and the kernels that are loaded as they are first run. A context
 * alone took 426 MiB with CUDA 13 on an RTX 6000 Ada (unslothai/unsloth-zoo#1053), 300 to 400 MB with CUDA 11.7 to 12, and
 * over 1 GB with all kernels of a process that loaded them at once (pytorch/pytorch#107667, #109888). An assumption for
 * planning; where there is a GPU, its driver says what is free beside the context.
 */
export const OF_CUDA = 2 ** 30;

/**
 * The default workspace of a handle of cuBLAS, outside of onnxruntime's arena: 32 MiB on Hopper, 4 MiB on GPUs before it
 * (https://docs.nvidia.com/cuda/cublas/#cublassetworkspace). onnxruntime 1.30 does not set another one.
 */
const CUBLAS_WORKSPACE = 32 * 2 ** 20;

/**
 * The handles of cuBLAS that are open in a training with onnxruntime 1.30: one of each session, which are those of the
 * graphs of a step, of evaluations, and of the engine's own memory (counted by test/cuda/memory.cuda.ts).
 */
export const cublasHandles = (graphs: number) => graphs + 2;

/**
 * Returns the bytes of workspaces that kernels of a training may take besides tensors: at most those of cuBLAS, and as an
 * assumption those of convolutions. A convolution of cuDNN may convert its operands and its result between NCHW and NHWC,
 * so that they exist twice while it runs; an algorithm may take more. onnxruntime's option cudnn_conv_use_max_workspace
 * limits none of it: with cuDNN 9, its kernels run what cuDNN's heuristic chooses (`CreateCudnnFeExecutionPlan` in
 * core/providers/cuda/nn/conv.cc).
 */
export function workspaceBytes(steps: readonly StepGraph[]): number {
  const largest = steps
    .flatMap(({ graph }) => graph.nodes)
    .filter(isConvolution)
    .reduce((most, node) => Math.max(most, bytesAround(node)), 0);
  return cublasHandles(steps.length) * CUBLAS_WORKSPACE + largest;
}

function isConvolution({ op }: Node): boolean {
  return op === 'conv2d' || op === 'conv2d_dx' || op === 'conv2d_dw';
}

function bytesAround({ inputs, outputs }: Node): number {
  return [...inputs, ...outputs].reduce((sum, value) => sum + bytesOf(value), 0);
}

function bytesOf({ type }: Value): number {
  return staticShape(type).reduce((n, extent) => n * extent, bytesPerElement[type.dtype]);
}
