import type { Program } from '../../compiler/elaborate/source/program.ts';
import type { NodeOp, Origin } from '../../compiler/ir/graph.ts';
import { position } from '../../grammar/span.ts';

/** Where a node was written, as `crobim.crob:33`, by what `nameOf` calls the file; undefined for what a pass made. */
export function originPlace(
  { files }: Program,
  { span }: Origin,
  nameOf: (file: string) => string = (file) => file,
): string | undefined {
  const text = span && files.get(span.file)?.tree.text;
  return text && `${nameOf(span.file)}:${position(text, span.start).line}`;
}

/** An operator, and what the source calls it where that is another name: `matmul (Linear)`. */
export function operatorName(op: NodeOp, { label }: Origin): string {
  return label === '' || label === op ? op : `${op} (${label})`;
}
