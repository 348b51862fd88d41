/** A run of neighbouring axes that can be one axis. */
export interface AxisRun {
  readonly axes: readonly number[];
  readonly size: number;
}

/**
 * Neighbouring axes with the same role become one run, and axes of size 1 vanish. TensorFlow.js is fast
 * up to four axes, wrong beyond six in places, and its wasm reductions leak where axes have size 1.
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

/** The shape that tensors of these shapes broadcast to, by trailing alignment. */
export function broadcastSizes(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((shape) => shape[axis - rank + shape.length] ?? 1)),
  );
}

/** The shape with ones in front, up to `rank` axes. */
export function aligned(shape: readonly number[], rank: number): number[] {
  return [...new Array<number>(rank - shape.length).fill(1), ...shape];
}
