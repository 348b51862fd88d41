import type { BuildRecord, Condition, Port } from '../build/build-record.ts';
import { dimsIn, holdsAt } from '../build/condition.ts';
import { dimValue, isDimName, type Sizes } from '../build/dim-text.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { RequestFault } from './request-fault.ts';

/**
 * Checks the inputs of a run as the generated client does: names, types, shapes, the conditions of `where`, and row numbers
 * of tables. Throws a RequestFault with the first mistake. Returns the sizes of the dims.
 */
export function checkInputs(record: BuildRecord, feeds: Feeds): Sizes {
  const sizes = new Map<string, number>();
  for (const name of Object.keys(feeds))
    if (!record.inputs.some((port) => port.name === name))
      throw bad(`${record.model} has no input ${name}; it has ${record.inputs.map((port) => port.name).join(', ')}`);
  for (const port of record.inputs) {
    const tensor = feeds[port.name];
    if (!tensor) throw bad(`the input ${port.name} is missing`);
    bind(port, tensor, sizes);
  }
  for (const port of record.inputs) checkShape(port, feeds[port.name], sizes);
  for (const guard of record.guards) checkCondition(guard, sizes);
  for (const { input, rows } of record.rowNumbers) checkRows(input, feeds[input], dimValue(rows, sizes));
  return sizes;
}

function bad(message: string): RequestFault {
  return new RequestFault(400, message);
}

/** Checks type and rank, and takes the sizes of axes that are a dim alone. */
function bind({ name, dtype, shape }: Port, tensor: HostTensor, sizes: Map<string, number>): void {
  if (tensor.dtype !== dtype) throw bad(`the input ${name} is ${tensor.dtype}: must be ${dtype}`);
  const wanted = `[${shape.join(', ')}]`;
  if (tensor.shape.length !== shape.length)
    throw bad(`the input ${name} is [${tensor.shape.join(', ')}]: must be ${wanted}`);
  for (const [axis, dim] of shape.entries()) {
    const size = tensor.shape[axis] ?? 0;
    if (size < 1) throw bad(`the input ${name} is [${tensor.shape.join(', ')}]: sizes are 1 or more`);
    if (isDimName(dim) && !sizes.has(dim)) sizes.set(dim, size);
  }
}

function checkShape({ name, shape }: Port, tensor: HostTensor | undefined, sizes: Sizes): void {
  for (const [axis, dim] of shape.entries()) {
    const [size, wanted] = [tensor?.shape[axis], dimValue(dim, sizes)];
    if (wanted === undefined || size === wanted) continue;
    const of = dim === String(wanted) ? '' : ` (${dim})`;
    throw bad(`axis ${axis} of the input ${name} is ${size}: must be ${wanted}${of}`);
  }
}

function checkCondition(guard: Condition, sizes: Sizes): void {
  if (holdsAt(guard, sizes)) return;
  const at = dimsIn(guard, sizes).map((name) => `${name} = ${sizes.get(name)}`);
  throw bad(`the sizes do not fit \`${guard.source}\`: ${at.join(', ')}`);
}

function checkRows(name: string, tensor: HostTensor | undefined, rows: number | undefined): void {
  if (!tensor || rows === undefined) return;
  for (let i = 0; i < tensor.data.length; i++) {
    const row = Number(tensor.data[i]);
    if (!(row >= 0 && row < rows)) throw bad(`${name} is ${row} at element ${i}: must lie in 0..${rows - 1}`);
  }
}
