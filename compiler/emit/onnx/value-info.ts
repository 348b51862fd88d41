import { asConstant } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { TensorType } from '../../ir/types.ts';
import type { ValueInfo } from './model.ts';

/** Returns the ONNX type of a value: known sizes as numbers, other sizes as the text of their dims. */
export function valueInfo(facts: Facts, name: string, { dtype, shape }: TensorType, docs: string): ValueInfo {
  return { name, dtype, shape: shape.map((dim) => asConstant(facts.normalize(dim)) ?? facts.show(dim)), docs };
}
