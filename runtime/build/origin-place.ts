import type { Program } from '../../compiler/elaborate/source/program.ts';
import type { NodeOp, Origin } from '../../compiler/ir/graph.ts';
import { position } from '../../grammar/span.ts';

/**
 * Returns the source position of a node, such as `crobim.crob:33`; undefined for a node
 * that a pass created. `nameOf` renames files.
 */
export function originPlace(
  { files }: Program,
  { span }: Origin,
  nameOf: (file: string) => string = (file) => file,
): string | undefined {
  const text = span && files.get(span.file)?.tree.text;
  return text && `${nameOf(span.file)}:${position(text, span.start).line}`;
}

/** The operator with its name in the source if that is different: `matmul (Linear)`. */
export function operatorName(op: NodeOp, { label }: Origin): string {
  return label === '' || label === op ? op : `${op} (${label})`;
}
