import { namesIn, type Size } from './size.ts';
import type { Argument, Body, Expr, Let, Module, Part, Program } from './tree.ts';

/** The program without what nothing needs. */
export function pruned(program: Program): Program {
  const { model, recipe } = program;
  const roots = [...model.outputs.map(({ value }) => value), ...(recipe?.terms ?? []).map(({ value }) => value)];
  const lets = neededLets(model.lets, roots);
  const exprs = [...roots, ...lets.map(({ value }) => value)];
  const parts = model.parts.filter(({ name }) => exprs.some((e) => usesPart(e, name)));
  const reachable = new Set(parts.map(({ name }) => name));
  // What another part reads must be there, and so must what an output depends on: no such reading without it.
  const whole = parts.map((part) => withoutReads(part, reachable));
  const lines = program.variants.map((variant) => ({
    ...variant,
    lines: variant.lines.filter(({ path, value }) => {
      const own = path.length === 1 || reachable.has(path[0]);
      return own && partsRead(value).every((name) => reachable.has(name));
    }),
  }));
  const bound = new Set([...exprs, ...(recipe?.terms ?? []).map(({ value }) => value)].flatMap(staticNames));
  const used = new Set(exprs.flatMap(namesUsed));
  const kept = model.inputs.filter(({ name }) => used.has(name));
  const dims = new Set(
    [...bound, ...kept.flatMap(({ type }) => type.shape.flatMap(namesIn))].filter((name) => /^[A-Z]/.test(name)),
  );
  // A dim has to stand alone somewhere.
  const binding = model.inputs.filter((input) => {
    if (kept.includes(input)) return false;
    const binds = input.type.shape.flatMap((axis) => lone(axis));
    const needed = binds.filter(
      (name) => dims.has(name) && !kept.some(({ type }) => type.shape.some((axis) => lone(axis).includes(name))),
    );
    return needed.length > 0 && kept.push(input) > 0;
  });
  const inputs = model.inputs.filter((input) => kept.includes(input) || binding.includes(input));
  const modules = neededModules(program.modules, whole);
  const fns = neededFns(program, [
    ...exprs,
    ...modules.flatMap(({ methods }) =>
      methods.flatMap(({ body, early, updates }) => [
        ...inBody(body),
        ...[...early, ...updates].map(({ value }) => value),
      ]),
    ),
  ]);
  const paramNames = new Set([
    ...bound,
    ...inputs.flatMap(({ type }) => type.shape.flatMap(namesIn)),
    ...whole.flatMap(({ args }) => args.flatMap(([, value]) => (value.kind === 'size' ? namesIn(value.size) : []))),
    ...lines.flatMap((variant) =>
      variant.lines.flatMap(({ value }) => (value.kind === 'size' ? namesIn(value.size) : [])),
    ),
  ]);
  const params = model.params.filter(({ name }) => paramNames.has(name));
  const interfaces = program.interfaces.filter(({ name }) =>
    modules.some(({ fills, params: own }) => fills === name || own.some(({ slot }) => slot === name)),
  );
  const terms = (recipe?.terms ?? []).flatMap(({ value }) => namesUsed(value));
  return {
    ...program,
    recipe: recipe && {
      ...recipe,
      inputs: recipe.inputs.filter(({ name }) => terms.includes(name)),
      groups: recipe.groups.filter(({ part }) => reachable.has(part)),
      fixed: recipe.fixed.filter((part) => reachable.has(part)),
      sizes: recipe.sizes.filter(([name]) => inputs.some(({ type }) => type.shape.flatMap(namesIn).includes(name))),
    },
    fns,
    interfaces,
    modules,
    model: { ...model, params, parts: whole, inputs, lets },
    variants: lines
      .map((variant) => ({
        ...variant,
        lines: variant.lines.filter(({ path }) => path.length > 1 || params.some(({ name }) => name === path[0])),
      }))
      .filter((variant) => variant.lines.length > 0),
  };
}

function lone({ terms }: Size): readonly string[] {
  const [only] = terms;
  const factor = terms.length === 1 && only?.by === 1 && only.of.length === 1 ? only.of[0] : undefined;
  return typeof factor === 'string' ? [factor] : [];
}

function neededLets(lets: readonly Let[], roots: readonly Expr[]): readonly Let[] {
  const needed = new Set(roots.flatMap(namesUsed));
  for (const { name, value } of [...lets].reverse())
    if (needed.has(name)) for (const other of namesUsed(value)) needed.add(other);
  return lets.filter(({ name }) => needed.has(name));
}

export function bodyPruned({ lets, result }: Body): Body {
  return { lets: neededLets(lets, [result]), result };
}

const partsRead = (value: Argument): readonly string[] =>
  value.kind === 'read' ? [value.path.split('.')[0] ?? ''] : [];

function withoutReads(part: Part, reachable: ReadonlySet<string>): Part {
  const args = part.args.map(([name, value]) => {
    const isRead = partsRead(value).every((other) => reachable.has(other));
    return [name, isRead ? value : ({ kind: 'literal', value: 2 } as const)] as const;
  });
  return { ...part, args };
}

export function namesUsed(e: Expr): readonly string[] {
  return [...(e.op === 'name' ? [e.at.name] : []), ...e.args.flatMap(namesUsed)];
}

function usesPart(e: Expr, name: string): boolean {
  return (e.op === 'apply' && e.at.part === name) || e.args.some((arg) => usesPart(arg, name));
}

/** Dims and parameters that an expression names. */
function staticNames(e: Expr): readonly string[] {
  const within = [...e.type.shape.flatMap(namesIn), ...e.args.flatMap(staticNames)];
  switch (e.op) {
    case 'size':
      return [...within, ...namesIn(e.at.size)];
    case 'fold':
      return [...within, e.at.list];
    case 'choose': {
      const { when } = e.at;
      return [...within, ...('name' in when ? [when.name] : 'left' in when ? namesIn(when.left) : [])];
    }
    case 'call':
      return [...within, ...e.at.statics.flatMap((value) => (value.kind === 'size' ? namesIn(value.size) : []))];
    default:
      return within;
  }
}

const inBody = ({ lets, result }: Body): readonly Expr[] => [result, ...lets.map(({ value }) => value)];

function neededModules(modules: readonly Module[], parts: readonly Part[]): readonly Module[] {
  const needed = new Set<string>();
  const visit = (part: Part): void => {
    for (const name of [part.of, ...part.slots.map(([, module]) => module)]) {
      const module = modules.find((one) => one.name === name);
      if (!module || needed.has(name)) continue;
      needed.add(name);
      for (const inner of module.parts) visit(inner);
      for (const { kind, value } of module.params)
        if (kind === 'slot' && typeof value === 'string') visit({ name: '', of: value, args: [], slots: [] });
    }
  };
  for (const part of parts) visit(part);
  return modules
    .filter(({ name }) => needed.has(name))
    .map((module) => ({
      ...module,
      methods: module.methods.map((method) => ({ ...method, body: bodyPruned(method.body) })),
    }));
}

function neededFns({ fns }: Program, roots: readonly Expr[]): Program['fns'] {
  const needed = new Set<string>();
  const visit = (e: Expr): void => {
    for (const arg of e.args) visit(arg);
    if (e.op !== 'call' || needed.has(e.at.fn)) return;
    needed.add(e.at.fn);
    const fn = fns.find(({ name }) => name === e.at.fn);
    if (fn) for (const inner of inBody(bodyPruned(fn.body))) visit(inner);
  };
  for (const e of roots) visit(e);
  return fns.filter(({ name }) => needed.has(name)).map((fn) => ({ ...fn, body: bodyPruned(fn.body) }));
}
