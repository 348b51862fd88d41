import type { DType } from '../../../compiler/ir/types.ts';
import type { PortType } from '../session.ts';
import { type Context, pointerFrom } from './context.ts';
import { elementDType } from './element-types.ts';
import type { Native } from './native.ts';

/** The inputs or outputs of a session. Throws an error of one line if one is of a type that crobc does not use. */
export function portsOf(context: Context, session: bigint, side: 'Input' | 'Output'): readonly PortType[] {
  const { native } = context;
  const count = Number(pointerFrom((out) => native.call(`SessionGet${side}Count`, session, out)));
  const allocator = pointerFrom((out) => native.call('GetAllocatorWithDefaultOptions', out));
  return Array.from({ length: count }, (_, at): PortType => {
    const text = pointerFrom((out) => native.call(`SessionGet${side}Name`, session, at, allocator, out));
    const name = native.textAt(text);
    native.call('AllocatorFree', allocator, text);
    const info = pointerFrom((out) => native.call(`SessionGet${side}TypeInfo`, session, at, out));
    try {
      return { name, ...tensorType(context, info, name) };
    } finally {
      native.release('ReleaseTypeInfo', info);
    }
  });
}

function tensorType({ native }: Context, info: bigint, name: string): Omit<PortType, 'name'> {
  // Belongs to `info`; null if the port is not a tensor.
  const tensor = pointerFrom((out) => native.call('CastTypeInfoToTensorInfo', info, out));
  if (tensor === 0n) throw new Error(`${name} is not a tensor`);
  const { dtype, sizes } = typeAndSizes(native, tensor, name);
  const names = new BigUint64Array(sizes.length);
  if (sizes.length > 0) native.call('GetSymbolicDimensions', tensor, names, sizes.length);
  const shape = [...sizes].map((size, axis) => (size < 0n ? native.textAt(names[axis]!) : Number(size)));
  return { dtype, shape };
}

/** The element type and sizes that an OrtTensorTypeAndShapeInfo has; a size is negative if it is open. */
export function typeAndSizes(
  native: Native,
  info: bigint,
  name: string,
): { readonly dtype: DType; readonly sizes: BigInt64Array } {
  const number = new Int32Array(1);
  native.call('GetTensorElementType', info, number);
  const dtype = elementDType(number[0]!);
  if (dtype === undefined) throw new Error(`${name} has elements of a type that crobc does not use`);
  const rank = Number(pointerFrom((out) => native.call('GetDimensionsCount', info, out)));
  const sizes = new BigInt64Array(rank);
  if (rank > 0) native.call('GetDimensions', info, sizes, rank);
  return { dtype, sizes };
}
