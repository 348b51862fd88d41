/** The einops-like operations of the language, lowered to core operators. */
export { alongAxis, concat, pad, split, stack } from './axes.ts';
export { einsum } from './einsum.ts';
export type { DimsFault, PatternContext, PatternFault, PatternResult } from './fault.ts';
export { rearrange, reduce, repeat } from './rearrange.ts';
export { roll } from './roll.ts';
