import type { DType } from '../../ir/types.ts';
import type { Attribute } from './model.ts';
import { int } from './model.ts';

/** The `TensorProto.DataType` of each dtype. */
export const elementType: Readonly<Record<DType, number>> = {
  f32: 1,
  u8: 2,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  bf16: 16,
};

/** Returns the `to` attribute of a Cast. */
export function toAttribute(dtype: DType): { readonly to: Attribute } {
  return { to: int(elementType[dtype]) };
}
