import { asConstant, type Dim, sub } from '../../dims/dim.ts';
import type { Scope } from '../context/scope.ts';
import { placeOf } from './place.ts';
import type { TensorNamed } from './provenance.ts';

/**
 * Suggests a padding with which a convolution keeps the size, if two sizes differ by a constant and one is that of a
 * `Conv2d`.
 */
export function paddingHelp(
  scope: Pick<Scope, 'context' | 'file'>,
  left: Dim,
  right: Dim,
  tensors: readonly TensorNamed[],
): string | undefined {
  const by = asConstant(sub(right, left));
  if (by === undefined || by === 0 || by % 2 !== 0 || asConstant(left) !== undefined) return undefined;
  const [small, large] = by > 0 ? [left, right] : [right, left];
  for (const { value } of tensors) {
    const { label, span } = value.node.origin;
    if (label !== 'Conv2d' || !span) continue;
    const has = (dim: Dim) => value.type.shape.some(({ key }) => key === dim.key);
    const way = has(small) ? 'larger' : has(large) ? 'smaller' : undefined;
    if (!way) continue;
    const place = placeOf(scope.context, span, scope.file.file);
    return `the size stays with a \`padding\` of the Conv2d (${place}) that is ${way} by ${Math.abs(by) / 2}`;
  }
  return undefined;
}
