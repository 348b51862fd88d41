import type { OpName } from '../../ir/names.ts';
import { composite } from './composite.ts';
import { contract } from './contract.ts';
import { data } from './data.ts';
import { elementwise } from './elementwise.ts';
import type { Lowering } from './lowering.ts';

/** The lowering of every operator to ONNX. */
export const lowerings = {
  ...data,
  ...elementwise,
  ...contract,
  ...composite,
} satisfies { readonly [O in OpName]: Lowering<O> };
