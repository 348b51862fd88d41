import type { PortDType } from '../../../compiler/ir/types.ts';
import { UserError } from '../../files/user-error.ts';
import type { PortType } from '../host-tensor.ts';
import { type Context, pointerFrom } from './context.ts';
import { elementDType, elementName } from './element-types.ts';
import type { Native } from './native.ts';

/**
 * The inputs or outputs of a session. Throws a UserError if one is of a type that crobc does not use. `named` is what
 * messages call the model.
 */
export function portsOf(
  context: Context,
  session: bigint,
  side: 'Input' | 'Output',
  named: string,
): readonly PortType[] {
  const { native } = context;
  const count = Number(pointerFrom((out) => native.call(`SessionGet${side}Count`, session, out)));
  const allocator = pointerFrom((out) => native.call('GetAllocatorWithDefaultOptions', out));
  return Array.from({ length: count }, (_, at): PortType => {
    const text = pointerFrom((out) => native.call(`SessionGet${side}Name`, session, at, allocator, out));
    const name = native.textAt(text);
    native.call('AllocatorFree', allocator, text);
    const info = pointerFrom((out) => native.call(`SessionGet${side}TypeInfo`, session, at, out));
    try {
      return { name, ...tensorType(context, info, { name, named }) };
    } finally {
      native.release('ReleaseTypeInfo', info);
    }
  });
}

function tensorType(
  { native }: Context,
  info: bigint,
  { name, named }: { readonly name: string; readonly named: string },
): Omit<PortType, 'name'> {
  // Belongs to `info`; null if the port is not a tensor.
  const tensor = pointerFrom((out) => native.call('CastTypeInfoToTensorInfo', info, out));
  if (tensor === 0n) throw new UserError(`the model's ${name} is not a tensor`);
  const { dtype, sizes } = typeAndSizes(native, tensor, named);
  const names = new BigUint64Array(sizes.length);
  if (sizes.length > 0) native.call('GetSymbolicDimensions', tensor, names, sizes.length);
  const shape = [...sizes].map((size, axis) => (size < 0n ? native.textAt(names[axis]!) : Number(size)));
  return { dtype, shape };
}

/** The element type and sizes that an OrtTensorTypeAndShapeInfo has; a size is negative if it is open. */
export function typeAndSizes(
  native: Native,
  info: bigint,
  named: string,
): { readonly dtype: PortDType; readonly sizes: BigInt64Array } {
  const number = new Int32Array(1);
  native.call('GetTensorElementType', info, number);
  const dtype = elementDType(number[0]!);
  if (dtype === undefined) {
    const type = elementName(number[0]!);
    throw new UserError(`${named} has a tensor of type ${type}, which crobc does not use`);
  }
  const rank = Number(pointerFrom((out) => native.call('GetDimensionsCount', info, out)));
  const sizes = new BigInt64Array(rank);
  if (rank > 0) native.call('GetDimensions', info, sizes, rank);
  return { dtype, sizes };
}

/** Names of the inputs or outputs that a session reads or writes in the memory of this process, not on the device. */
export function portsOnHost(
  { native, inHostMemory }: Pick<Context, 'native' | 'inHostMemory'>,
  session: bigint,
  side: 'Input' | 'Output',
  ports: readonly PortType[],
): ReadonlySet<string> {
  if (inHostMemory || ports.length === 0) return new Set();
  const infos = new BigUint64Array(ports.length);
  native.call(`SessionGetMemoryInfoFor${side}s`, session, infos, ports.length);
  const nameOf = (info: bigint) => native.textAt(pointerFrom((out) => native.call('MemoryInfoGetName', info, out)));
  return new Set(ports.filter((_, i) => infos[i] !== 0n && nameOf(infos[i]!) !== 'Cuda').map(({ name }) => name));
}
