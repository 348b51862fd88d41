/** A run of neighbouring axes that can be merged into one axis. */
export interface AxisRun {
  readonly axes: readonly number[];
  readonly size: number;
}

/**
 * Merges neighbouring axes with the same role into runs and drops axes of size 1. TensorFlow.js is fast for up to four
 * axes and wrong beyond six in places, and its wasm reductions leak memory if axes have size 1.
 */
export function runsOf(shape: readonly number[], role: (axis: number) => unknown): AxisRun[] {
  const runs: { axes: number[]; size: number; role: unknown }[] = [];
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue;
    const own = role(axis);
    const last = runs.at(-1);
    if (last !== undefined && last.role === own) {
      last.axes.push(axis);
      last.size *= size;
    } else runs.push({ axes: [axis], size, role: own });
  }
  return runs;
}

export function sameSizes(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((size, axis) => size === b[axis]);
}

/** Returns the shape that tensors of these shapes broadcast to, by trailing alignment. */
export function broadcastSizes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** Adds leading axes of size 1 to a shape, up to `rank` axes. */
export function aligned(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}
