import { add, type Dim } from '../../dims/dim.ts';
import { tensor } from '../../ir/tensor-data.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Emission } from './emission.ts';
import { int, tensorOf } from './model.ts';
import { known } from './reshape-target.ts';

export interface Margins {
  /** One entry per axis, not negative. */
  readonly low: readonly Dim[];
  readonly high: readonly Dim[];
  readonly value: number;
}

/** Pads a tensor; widths are known. */
export function padded(emission: Emission, name: string, type: TensorType, margins: Margins): string {
  const { low, high, value } = margins;
  if (type.dtype === 'bf16') return padByConcat(emission, name, type, margins);
  const inputs = [name, emission.dims.vector([...low, ...high])];
  if (value !== 0) inputs.push(emission.number(value, type.dtype));
  const shape = type.shape.map((size, axis) => add(size, add(low[axis]!, high[axis]!)));
  return emission.node('Pad', inputs, { dtype: type.dtype, shape });
}

/** Pads by concatenating constants, axis by axis: onnxruntime's CUDA provider (1.30) has no kernel of Pad for bfloat16. */
export function padByConcat(emission: Emission, name: string, type: TensorType, { low, high, value }: Margins): string {
  const { dtype } = type;
  const shape = [...type.shape];
  let padded = name;
  for (const axis of shape.keys()) {
    const margin = (size: Dim): readonly string[] => {
      if (known(emission.facts, size) === 0) return [];
      const sizes = shape.map((own, i) => (i === axis ? size : own));
      const fill = { value: tensorOf(tensor(dtype, [1], [value])) };
      return [emission.node('ConstantOfShape', [emission.dims.vector(sizes)], { dtype, shape: sizes }, fill)];
    };
    const parts = [...margin(low[axis]!), padded, ...margin(high[axis]!)];
    if (parts.length === 1) continue;
    shape[axis] = add(shape[axis]!, add(low[axis]!, high[axis]!));
    padded = emission.node('Concat', parts, { dtype, shape: [...shape] }, { axis: int(axis) });
  }
  return padded;
}
