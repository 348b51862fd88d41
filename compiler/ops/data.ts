import type { DataName } from '../ir/names.ts';
import { indexingRows } from './indexing.ts';
import { layoutRows } from './layout.ts';
import type { OpRow } from './row.ts';
import { sourceRows } from './sources.ts';

/** Operators that create, move and select elements without computing on them. */
export const dataRows: { readonly [O in DataName]: OpRow<O> } = { ...sourceRows, ...layoutRows, ...indexingRows };
