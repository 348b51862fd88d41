import type { CallExpr, Expr, ModuleDecl, Param } from '../../../grammar/tree.ts';
import type { OverrideLine, Overrides } from '../context/overrides.ts';
import { slotOf } from '../modules/members.ts';
import type { FileScope } from '../source/program.ts';

/** A call of a module, `Block(dim, hidden = 4)`, with its arguments as lines below it, so that each is evaluated by itself. */
export interface OpenCall {
  /** `Block()` */
  readonly bare: CallExpr;
  readonly args: Overrides;
}

/** Makes the line of an argument: `name` is its parameter, behind those of the calls around it: `first.hidden`. */
type ArgumentLine = (name: string, value: Expr) => OverrideLine;

/** Undefined for what is no call of a module, or has arguments that the module does not take. */
export function openCall(expr: Expr, file: FileScope, line: ArgumentLine, within = ''): OpenCall | undefined {
  if (expr.kind !== 'call' || expr.callee.kind !== 'name') return undefined;
  const found = file.lookup(expr.callee.name);
  if (found?.decl.kind !== 'module') return undefined;
  const below = new Map<string, Overrides>();
  for (const [i, { name, value }] of expr.args.entries()) {
    const param = paramOf(found.decl, name?.name, i);
    if (!param || below.has(param.name.name)) return undefined;
    const path = `${within}${param.name.name}`;
    const { slot, holes } = slotOf(param, found.file);
    // What has holes is a value until its host fills them, and has no inside.
    const inner = slot && !holes ? openCall(value, file, line, `${path}.`) : undefined;
    const made = line(path, inner?.bare ?? value);
    below.set(param.name.name, { line: made, below: inner?.args.below ?? new Map(), span: value.span });
  }
  return { bare: { ...expr, args: [] }, args: { line: undefined, below, span: expr.span } };
}

function paramOf({ params }: ModuleDecl, name: string | undefined, i: number): Param | undefined {
  return name === undefined ? params[i] : params.find((param) => param.name.name === name);
}
