import type { Arg, CallExpr, Expr } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { Overrides } from '../context/elaborated.ts';
import type { FileScope } from '../source/file-scope.ts';

/**
 * Returns a part's expression without the arguments that an override replaces and that refer to something removed:
 * `lgfa.text_dim = 8` replaces `text.dim` after `text` is removed. Other arguments stay, since a right side may read
 * their old values.
 */
export function besidesGone(
  expr: Expr,
  overrides: Overrides | undefined,
  file: FileScope,
  gone: ReadonlyMap<string, unknown>,
): Expr {
  if (!overrides || gone.size === 0 || !mentions(expr, gone)) return expr;
  switch (expr.kind) {
    case 'call':
      return ofCall(expr, overrides, file, gone);
    case 'list': {
      const of = (item: Expr, i: number) =>
        besidesGone(item, overrides.below.get(String(i)) ?? overrides.below.get('*'), file, gone);
      return { ...expr, items: expr.items.map(of) };
    }
    case 'comprehension':
      return { ...expr, element: besidesGone(expr.element, overrides.below.get('*'), file, gone) };
    default:
      return expr;
  }
}

function ofCall(expr: CallExpr, overrides: Overrides, file: FileScope, gone: ReadonlyMap<string, unknown>): CallExpr {
  const { callee } = expr;
  const decl = callee.kind === 'name' ? file.lookup(callee.name)?.decl : undefined;
  if (decl?.kind !== 'module') return expr;
  const args: Arg[] = [];
  for (const [i, { name, value }] of expr.args.entries()) {
    const ident = name ?? decl.params[i]?.name;
    const over = ident && overrides.below.get(ident.name);
    if (over?.line && mentions(value, gone)) continue;
    // After an omitted argument, positions would shift, so arguments are passed by name.
    const isMoved = args.length < i;
    args.push({ name: isMoved ? ident : name, value: besidesGone(value, over, file, gone) });
  }
  return { ...expr, args };
}

function mentions(expr: Expr, names: ReadonlyMap<string, unknown>): boolean {
  for (const node of nodesBelow(expr)) if (node.kind === 'name' && names.has(node.name)) return true;
  return false;
}
