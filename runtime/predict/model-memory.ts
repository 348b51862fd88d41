import { asVariable, evaluate } from '../../compiler/dims/dim.ts';
import { bytesPerElement, isStored, memory } from '../../compiler/graphs/liveness.ts';
import type { Graph, Node } from '../../compiler/ir/graph.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { byteSize } from '../files/byte-size.ts';
import { UserError } from '../files/user-error.ts';
import { machineMemory } from '../process/machine-memory.ts';
import { processMemory } from '../process/process-memory.ts';

/** The settings of a run that determine its memory. */
export interface MemoryOptions {
  readonly dtype: Precision;
  /** Number of images per run. */
  readonly batch: number;
  /** Size of the images in pixels. */
  readonly height: number;
  readonly width: number;
  /** Available memory in bytes; default: that of this machine. */
  readonly available?: number;
}

/**
 * Throws a UserError if a run needs more memory than this machine has, before anything is built. The message
 * says how much it needs, and what would fit.
 */
export function checkMemory(graph: Graph, options: MemoryOptions): void {
  const { dtype, batch, height, width, available = machineMemory() } = options;
  const least = leastMemory(graph, bindingsOf(graph, batch), dtype);
  if (least.bytes <= available) return;
  // NaN if it exceeds 2^53.
  const needed = Number.isNaN(least.bytes) ? 'more than can be counted' : `${byteSize(least.bytes)} or more`;
  const what = `${batch === 1 ? 'images' : `${batch.toLocaleString('en')} images at a time`} of ${height} × ${width}`;
  throw new UserError(
    `${what} do not fit into this machine's memory of ${byteSize(available)}: ${least.at} takes ${needed}${fitting(graph, { ...options, available })}`,
  );
}

/** Returns the batch or image size that would fit, by an estimate of the memory of the whole process. */
function fitting(graph: Graph, { batch, dtype, available }: MemoryOptions & { readonly available: number }): string {
  const timesTooLarge = (images: number) => {
    const { kept, working } = estimate(graph, images, dtype);
    return available > kept ? working / (available - kept) : Number.POSITIVE_INFINITY;
  };
  if (batch > 1 && timesTooLarge(1) <= 1) {
    let [low, high] = [1, batch];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (timesTooLarge(middle) <= 1) low = middle;
      else high = middle;
    }
    return `; ${low.toLocaleString('en')} at a time fit`;
  }
  const times = timesTooLarge(1);
  // A lower bound for memory that grows faster than the number of pixels: it also shrinks faster.
  return Number.isFinite(times) ? `; images of ${Math.ceil(times).toLocaleString('en')} times fewer pixels fit` : '';
}

/** Estimates the memory of a process that runs a model on one image after the other, in bytes. */
export function runMemory(graph: Graph, dtype: Precision): number {
  const { kept, working } = estimate(graph, 1, dtype);
  return kept + working;
}

/** Estimates the memory of the process in bytes: `kept` does not depend on the images, `working` does. */
function estimate(graph: Graph, batch: number, dtype: Precision): { readonly kept: number; readonly working: number } {
  const open = bindingsOf(graph, batch);
  const { weightBytes, peakBytes } = memory(graph, { get: (name) => open.get(name) ?? 1 });
  const part = dtype === 'f32' ? 1 : 0.5;
  const kept = processMemory(part * weightBytes, 0);
  return { kept, working: processMemory(part * weightBytes, part * peakBytes) - kept };
}

/**
 * Returns a lower bound on memory in any runtime: the largest input, or operands and
 * results of a convolution or matrix product.
 */
export function leastMemory(
  graph: Graph,
  bindings: ReadonlyMap<string, number>,
  dtype: Precision,
): { readonly bytes: number; readonly at: string } {
  // An open size is at least 1.
  const size = (name: string) => bindings.get(name) ?? 1;
  const bytesOf = ({ shape, dtype: held }: TensorType): number =>
    shape.reduce((bytes, dim) => bytes * evaluate(dim, size), bytesPerElement[held === 'f32' ? dtype : held]);
  let most = { bytes: 0, at: '' };
  const consider = (bytes: number, at: () => string) => {
    if (!(bytes <= most.bytes)) most = { bytes, at: at() };
  };
  for (const { name, value } of graph.inputs) consider(bytesOf(value.type), () => `the input ${name}`);
  for (const node of graph.nodes) {
    if (Number.isNaN(most.bytes)) break;
    if (node.op !== 'conv2d' && node.op !== 'matmul') continue;
    const read = node.inputs.filter((input) => !isStored(input.node.op));
    const types = [...new Set(read), ...node.outputs].map(({ type }) => type);
    consider(
      types.reduce((sum, type) => sum + bytesOf(type), 0),
      () => nameOf(node, graph),
    );
  }
  return most;
}

function nameOf({ origin }: Node, { name }: Graph): string {
  return origin.path === '' ? `an operator of ${name}` : origin.path;
}

/** Binds the open batch size of the image. */
function bindingsOf(graph: Graph, batch: number): ReadonlyMap<string, number> {
  const first = graph.inputs.find(({ name }) => name === 'image')?.value.type.shape[0];
  const name = first && asVariable(first);
  return new Map(name === undefined ? [] : [[name, batch]]);
}
