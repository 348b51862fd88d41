/** The einops-like operations of the language, lowered to core operators. */
export { alongAxis, concat, pad, split, stack } from './axes.ts';
export type { PatternContext } from './context.ts';
export { einsum } from './einsum.ts';
export { type DimsFault, isRefused, type PatternFault, type PatternResult } from './fault.ts';
export { rearrange, reduce, repeat } from './rearrange.ts';
export { roll } from './roll.ts';
