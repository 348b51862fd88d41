import { indexingRows } from './indexing.ts';
import { layoutRows } from './layout.ts';
import { sourceRows } from './sources.ts';

/** Operators that make, move and choose elements without computing on them. */
export const dataRows = { ...sourceRows, ...layoutRows, ...indexingRows };
