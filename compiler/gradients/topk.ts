import { one, product } from '../dims/dim.ts';
import { at } from '../ops/typing.ts';
import { type Gradient, operand } from './rule.ts';

/** Scatters the gradients of the values to their positions in x as one row: row number · row length + index. */
export const topkGradient: Gradient<'topk'> = ({ build, inputs, outputs, dys, wanted }) => {
  const [x, index, dy] = [operand(inputs, 0), operand(outputs, 1), dys[0]];
  if (dy === undefined || wanted[0] !== true) return [undefined];
  const { shape } = x.type;
  const last = shape.length - 1;
  const rows = product(shape.slice(0, last));
  const starts = build.mul(build.iota(rows), build.dim(at(shape, last)));
  const places = build.add(build.reshape(starts, [...shape.slice(0, last), one]), index);
  const count = [product(index.type.shape)];
  const flat = build.scatterAdd(build.reshape(places, count), build.reshape(dy, count), product(shape));
  return [build.reshape(flat, shape)];
};
