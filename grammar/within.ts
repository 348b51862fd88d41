import type { Span } from './span.ts';
import type { Declaration, Expr, ModelMember, ModuleMember, SourceFile, Statement } from './tree.ts';

/** A syntax node with a kind and a span, from a declaration down to an expression. */
export type TreeNode = Declaration | ModuleMember | ModelMember | Statement | Expr;

/** Returns the declaration that contains a span. */
export function declarationAround({ declarations }: SourceFile, span: Span): Declaration | undefined {
  return declarations.find((one) => contains(one.span, span));
}

/** Returns a node and all its descendants, without types, in source order where the tree keeps that order. */
export function nodesBelow(node: object): readonly TreeNode[] {
  const found: TreeNode[] = [];
  collect(node, found);
  return found;
}

function collect(node: object, into: TreeNode[]): void {
  if (isNode(node)) into.push(node);
  for (const value of Object.values(node)) if (typeof value === 'object' && value !== null) collect(value, into);
}

/** Returns the name expressions in a span; names of named arguments and of members after a dot are not included. */
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
