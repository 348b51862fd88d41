import { asConstant } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { TensorType } from '../../ir/types.ts';
import type { ValueInfo } from './model.ts';

/** A value's type as ONNX has it: a size that is known as a number, another as the text of its dim. */
export function valueInfo(facts: Facts, name: string, { dtype, shape }: TensorType, docs: string): ValueInfo {
  return { name, dtype, shape: shape.map((dim) => asConstant(facts.normalize(dim)) ?? facts.show(dim)), docs };
}
