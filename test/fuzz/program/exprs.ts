import type { Body, Expr, Let, Program } from './tree.ts';

/** Every expression of a program in the place of which another one of its type may stand, outermost first. */
export function sites(program: Program): readonly Expr[] {
  const found: Expr[] = [];
  replaced(program, (e) => {
    found.push(e);
    return undefined;
  });
  return found;
}

/** The program with what `by` gives in the place of expressions; where it gives none, it is asked for the operands. */
export function replaced(program: Program, by: (e: Expr) => Expr | undefined): Program {
  const inExpr = (e: Expr): Expr => {
    const other = by(e);
    if (other) return other;
    const args = e.args.map(inExpr);
    return args.every((arg, i) => arg === e.args[i]) ? e : ({ ...e, args } as Expr);
  };
  const inLets = (lets: readonly Let[]) => lets.map((one) => ({ ...one, value: inExpr(one.value) }));
  const inBody = ({ lets, result }: Body): Body => ({ lets: inLets(lets), result: inExpr(result) });
  const { model, recipe } = program;
  return {
    ...program,
    model: {
      ...model,
      outputs: model.outputs.map((one) => ({ ...one, value: inExpr(one.value) })),
      lets: inLets(model.lets),
    },
    fns: program.fns.map((fn) => ({ ...fn, body: inBody(fn.body) })),
    modules: program.modules.map((module) => ({
      ...module,
      methods: module.methods.map((method) => ({
        ...method,
        body: inBody(method.body),
        early: inLets(method.early),
        updates: inLets(method.updates),
      })),
    })),
    recipe: recipe && { ...recipe, terms: inLets(recipe.terms) },
  };
}
