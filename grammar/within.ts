import type { Span } from './span.ts';
import type { Declaration, Expr, ModelMember, ModuleMember, SourceFile, Statement } from './tree.ts';

/** A node of a declaration that has a kind of its own and a span. */
export type TreeNode = Declaration | ModuleMember | ModelMember | Statement | Expr;

/** The declaration that some text is in. */
export function declarationAround({ declarations }: SourceFile, span: Span): Declaration | undefined {
  return declarations.find((one) => contains(one.span, span));
}

/** A node and all that is below it, in the order of the text where the tree keeps it. Nodes that a file's tree may have, but types. */
export function nodesBelow(node: object): readonly TreeNode[] {
  const found: TreeNode[] = [];
  collect(node, found);
  return found;
}

function collect(node: object, into: TreeNode[]): void {
  if (isNode(node)) into.push(node);
  for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) collect(value, into);
}

/** The names that are read in a text: those of named arguments and of members after a dot are not among them. */
export function namesWithin(tree: SourceFile, span: Span): readonly Extract<Expr, { kind: 'name' }>[] {
  const decl = declarationAround(tree, span);
  const below = decl ? nodesBelow(decl) : [];
  return below.filter((node) => node.kind === 'name').filter((node) => contains(span, node.span));
}

export function contains(outer: Span, inner: Span): boolean {
  return outer.file === inner.file && outer.start <= inner.start && inner.end <= outer.end;
}

function isNode(node: object): node is TreeNode {
  return 'kind' in node && 'span' in node && node.kind !== 'ident';
}
