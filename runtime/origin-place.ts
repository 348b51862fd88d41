import type { Program } from '../compiler/elaborate/source/program.ts';
import type { NodeOp, Origin } from '../compiler/ir/graph.ts';
import { position } from '../grammar/span.ts';
import { sourceName } from './source-name.ts';

/** Where a node was written, as `crobim.crob:33`; undefined for what a pass made. */
export function originPlace(
  { program, file }: { readonly program: Program; readonly file: string },
  { span }: Origin,
): string | undefined {
  const text = span && program.files.get(span.file)?.tree.text;
  return text && `${sourceName(span.file, file)}:${position(text, span.start).line}`;
}

/** An operator, and what the source calls it where that is another name: `matmul (Linear)`. */
export function operatorName(op: NodeOp, { label }: Origin): string {
  return label === '' || label === op ? op : `${op} (${label})`;
}
