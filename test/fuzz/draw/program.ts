import { draws } from '../../draws.ts';
import { tensor } from '../program/build.ts';
import { pruned } from '../program/prune.ts';
import { named, namesIn, one, type Size, size, times } from '../program/size.ts';
import type { Argument, Input, Line, Module, Output, Param, Part, Program, Variant } from '../program/tree.ts';
import { drawArgument, drawCall, staticPaths } from './calls.ts';
import { drawExpression } from './expression.ts';
import { drawRecipe } from './recipe.ts';
import { fresh, type Library, type Scope } from './scope.ts';

/** The program of a seed. */
export function drawProgram(seed: number): Program {
  const draw = draws(seed);
  const library: Library = {
    draw,
    fns: [],
    modules: [],
    interfaces: [],
    drawExpr: drawExpression,
    budget: 6 + draw.below(30),
    trains: draw.once(3),
    next: 0,
  };
  const dims = draw.of([['B', 'N'], ['B', 'N', 'H'], ['N'], ['B', 'H', 'W']]);
  const params: Param[] = draw.once(2)
    ? [{ name: 'dim', kind: 'int', choices: [], slot: undefined, value: 1 + draw.below(4) }]
    : [];
  const sizes: Size[] = [
    ...dims.map(named),
    ...params.map(({ name }) => named(name)),
    size(1 + draw.below(4)),
    size(2),
  ];
  const inputs: Input[] = [];
  for (const name of dims) {
    const others = draw.shuffled(sizes).slice(0, draw.below(3));
    const shape = draw.shuffled([named(name), ...others]);
    inputs.push({
      name: fresh(library, 'x'),
      type: tensor('f32', shape),
      fed: 'f32',
      values: draw.of(['smooth', 'grid', 'special'] as const),
    });
  }
  const scope: Scope = {
    library,
    sizes,
    params,
    ports: [],
    lets: [],
    parts: [],
    weights: undefined,
    inputs,
    naming: true,
    nesting: 0,
  };
  const outputs: Output[] = [];
  const many = 1 + draw.below(3);
  for (let i = 0; i < many; i++) {
    const first = draw.once(2) ? inputs[draw.below(inputs.length)]?.type.shape : undefined;
    const shape = first ?? draw.shuffled([...sizes, one, times(size(2), draw.of(sizes))]).slice(0, 1 + draw.below(4));
    const dtype = draw.of(['f32', 'f32', 'f32', 'f32', 'f32', 'i32', 'bool'] as const);
    const type = tensor(dtype, shape);
    const deep = 2 + draw.below(4);
    const value = (library.trains ? drawCall(scope, type, deep) : undefined) ?? drawExpression(scope, type, deep);
    outputs.push({ name: `y${i}`, value, typed: draw.once(2) });
  }
  const model = { name: 'Net', params, parts: scope.parts, inputs, lets: scope.lets, outputs };
  const program: Program = {
    fns: library.fns,
    interfaces: library.interfaces,
    modules: library.modules,
    model,
    variants: [],
    recipe: undefined,
  };
  const kept = pruned(program);
  const varied = pruned({ ...kept, variants: draw.once(2) ? drawVariants(kept, scope) : [] });
  return library.trains ? { ...varied, recipe: drawRecipe(varied, draw) } : varied;
}

/** Lines that change what no signature mentions; right sides read parts that stand before, so that none waits for itself. */
function drawVariants(program: Program, scope: Scope): readonly Variant[] {
  const { draw } = scope.library;
  const { modules, model } = program;
  const variants: Variant[] = [];
  const levels = 1 + draw.below(2);
  for (let level = 0; level < levels; level++) {
    const lines = new Map<string, Line>();
    for (let i = 0; i < 3; i++) {
      const line = drawLine(program, scope, modules, model.parts);
      if (line) lines.set(line.path.join('.'), line);
    }
    if (lines.size > 0) variants.push({ name: `Net${level + 1}`, lines: [...lines.values()] });
  }
  return variants;
}

function drawLine(
  { model }: Program,
  scope: Scope,
  modules: readonly Module[],
  parts: readonly Part[],
): Line | undefined {
  const { draw } = scope.library;
  if (model.params.length > 0 && draw.once(6)) {
    const { name } = draw.of(model.params);
    return { path: [name], value: { kind: 'literal', value: 1 + draw.below(4) } };
  }
  if (parts.length === 0) return undefined;
  const at = draw.below(parts.length);
  const part = parts[at];
  const module = modules.find(({ name }) => name === part?.of);
  if (!part || !module) return undefined;
  const inner = module.parts.length > 0 && draw.once(3) ? draw.of(module.parts) : undefined;
  const within = inner && modules.find(({ name }) => name === inner.of);
  const param = freeParam(draw.shuffled((within ?? module).params), within ?? module);
  if (!param) return undefined;
  const path: Line['path'] = within && inner ? [part.name, inner.name, param.name] : [part.name, param.name];
  const before = staticPaths({ modules }, parts.slice(0, at));
  const value: Argument =
    param.kind === 'int' && before.length > 0 && draw.once(2)
      ? { kind: 'read', path: draw.of(before), plus: draw.of([0, 1]) }
      : drawArgument({ ...scope, params: model.params }, param);
  return { path, value };
}

/** One that no type of the module's methods depends on, nor any other value of the module from outside. */
function freeParam(params: readonly Param[], module: Module): Param | undefined {
  const types = module.methods.flatMap(({ args, type }) => [...args.map((arg) => arg.type), type]);
  const fixed = new Set(types.flatMap(({ shape }) => shape.flatMap(namesIn)));
  return params.find(({ name, kind }) => kind !== 'slot' && !fixed.has(name));
}
