import { full, sameType } from './build.ts';
import { replaced, sites } from './exprs.ts';
import { pruned } from './prune.ts';
import type { Expr, Let, Program, Recipe } from './tree.ts';

/** The smallest program that still fails, of those that come of leaving something out again and again until `until` (in ms since 1970). */
export async function shrunk(
  program: Program,
  fails: (smaller: Program) => Promise<boolean>,
  until: number,
): Promise<Program> {
  let smallest = program;
  for (;;) {
    const next = await smaller(smallest, fails, until);
    if (!next) return smallest;
    smallest = next;
  }
}

async function smaller(
  program: Program,
  fails: (one: Program) => Promise<boolean>,
  until: number,
): Promise<Program | undefined> {
  const before = weight(program);
  for (const candidate of candidates(program)) {
    if (Date.now() > until) return undefined;
    const one = pruned(candidate);
    if (weight(one) < before && (await fails(one))) return one;
  }
  return undefined;
}

/** What is to become less: operations, a constant counting less than a name, and declarations. */
function weight(program: Program): number {
  const { model, variants, fns, modules, recipe } = program;
  const exprs = sites(program).reduce((sum, { op }) => sum + (op === 'full' ? 0.5 : op === 'number' ? 0.25 : 1), 0);
  const lines = variants.reduce((sum, { lines: all }) => sum + 1 + all.length, 0);
  const members = modules.reduce(
    (sum, { methods, parts, weights, params }) => sum + methods.length + parts.length + weights.length + params.length,
    0,
  );
  return (
    exprs +
    lines +
    members +
    model.outputs.length +
    model.lets.length +
    model.inputs.length +
    fns.length +
    modules.length +
    (recipe ? settings(recipe) : 0)
  );
}

function settings({ terms, inputs, clip, ema, accumulate, groups, fixed, optimizer }: Recipe): number {
  const set = [clip, ema].filter((one) => one !== undefined).length + groups.length + fixed.length;
  const plain = optimizer.kind === 'SGD' ? optimizer.momentum + optimizer.weightDecay : 3;
  return 1 + terms.length + inputs.length + set + accumulate + plain;
}

function* candidates(program: Program): Generator<Program> {
  const { model, variants, recipe } = program;
  if (recipe) {
    yield { ...program, recipe: undefined };
    yield { ...program, recipe: { ...recipe, clip: undefined } };
    yield { ...program, recipe: { ...recipe, ema: undefined } };
    yield { ...program, recipe: { ...recipe, accumulate: 1 } };
    yield { ...program, recipe: { ...recipe, groups: recipe.groups.slice(1) } };
    yield { ...program, recipe: { ...recipe, fixed: recipe.fixed.slice(1) } };
    yield { ...program, recipe: { ...recipe, optimizer: { kind: 'SGD', weightDecay: 0, momentum: 0 } } };
    if (recipe.terms.length > 1)
      for (const term of recipe.terms)
        yield { ...program, recipe: { ...recipe, terms: recipe.terms.filter((one) => one !== term) } };
  }
  for (const variant of variants) yield { ...program, variants: variants.filter((one) => one !== variant) };
  for (const variant of variants)
    for (const line of variant.lines) {
      const lines = variant.lines.filter((one) => one !== line);
      yield { ...program, variants: variants.map((one) => (one === variant ? { ...one, lines } : one)) };
    }
  if (model.outputs.length > 1)
    for (const output of model.outputs)
      yield { ...program, model: { ...model, outputs: model.outputs.filter((one) => one !== output) } };
  for (const module of program.modules)
    if (module.methods.length > 1)
      for (const method of module.methods)
        yield {
          ...program,
          modules: program.modules.map((one) =>
            one === module ? { ...one, methods: one.methods.filter((other) => other !== method) } : one,
          ),
        };
  for (const module of program.modules)
    for (const kind of ['params', 'parts', 'weights', 'statics'] as const)
      for (const member of module[kind]) {
        const rest = (module[kind] as readonly unknown[]).filter((one) => one !== member);
        yield { ...program, modules: program.modules.map((one) => (one === module ? { ...one, [kind]: rest } : one)) };
      }
  for (const module of program.modules)
    for (const { name } of module.params)
      yield {
        ...program,
        modules: program.modules.map((one) =>
          one === module ? { ...one, params: one.params.filter((param) => param.name !== name) } : one,
        ),
        model: {
          ...model,
          parts: model.parts.map((part) =>
            part.of === module.name ? { ...part, args: part.args.filter(([param]) => param !== name) } : part,
          ),
        },
      };
  const all = sites(program);
  const lets = new Map<string, Expr>(everyLet(program).map(({ name, value }) => [name, value]));
  for (const site of all) {
    for (const within of inside(site, lets))
      if (sameType(within.type, site.type)) yield replaced(program, (e) => (e === site ? within : undefined));
    if (site.op !== 'number' && site.op !== 'full')
      yield replaced(program, (e) => (e === site ? full(site.type, site.type.dtype === 'f32' ? 0.5 : 1) : undefined));
  }
}

function everyLet({ model, fns, modules }: Program): readonly Let[] {
  return [
    ...model.lets,
    ...fns.flatMap(({ body }) => body.lets),
    ...modules.flatMap(({ methods }) => methods.flatMap(({ body }) => body.lets)),
  ];
}

/** What an expression is made of, the nearest to its leaves last; what a name stands for. */
function inside(e: Expr, lets: ReadonlyMap<string, Expr>): readonly Expr[] {
  const value = e.op === 'name' ? lets.get(e.at.name) : undefined;
  if (value) return [value];
  // Names of indices and of folded values mean nothing outside.
  if (e.op === 'fold' || e.op === 'indexed') return e.op === 'fold' ? e.args.slice(0, 1) : [];
  return e.args.flatMap((arg) => [arg, ...inside(arg, new Map())]);
}
