import { binary, expr, num, reduced, ref, tensor, unary } from '../program/build.ts';
import { asNumber, named, namesIn, one, type Size, sameSize, size, times, withSizes } from '../program/size.ts';
import type { Argument, Body, Expr, Interface, Let, Method, Module, Param, Part, Port, Type } from '../program/tree.ts';
import { drawExpr } from './rule.ts';
import { fresh, isStatic, type Library, type Scope } from './scope.ts';

/** A call of a function or a part that gives the type: one that is there, or a new one. */
export function drawCall(scope: Scope, type: Type, deep: number): Expr | undefined {
  const { draw } = scope.library;
  if (type.dtype !== 'f32' || type.shape.length === 0 || type.shape.length > 4) return undefined;
  const canApply = scope.weights !== undefined || scope.inputs !== undefined;
  if (canApply && !draw.once(3)) return applied(scope, type, deep);
  return called(scope, type, deep);
}

interface Signature {
  readonly args: readonly Port[];
  readonly type: Type;
}

type Bound = ReadonlyMap<string, Size>;

/** What a signature's names stand for where its result is to have this shape; undefined where it cannot. */
function unify(
  shape: readonly Size[],
  target: readonly Size[],
  known: Bound,
  params: readonly string[],
): Bound | undefined {
  if (shape.length !== target.length) return undefined;
  const bound = new Map(known);
  for (const [i, axis] of shape.entries()) {
    const wanted = target[i] ?? one;
    const name = loneName(axis);
    if (name !== undefined && !bound.has(name)) {
      if (params.includes(name) && !isStatic(wanted)) return undefined;
      bound.set(name, wanted);
    } else if (
      namesIn(axis).some((other) => !bound.has(other)) ||
      !sameSize(
        withSizes(axis, (n) => bound.get(n) ?? named(n)),
        wanted,
      )
    )
      return undefined;
  }
  return bound;
}

function loneName({ terms }: Size): string | undefined {
  const [only] = terms;
  const factor = terms.length === 1 && only?.by === 1 && only.of.length === 1 ? only.of[0] : undefined;
  return typeof factor === 'string' ? factor : undefined;
}

/** Names of a signature that its result leaves open get a size. */
function closed(scope: Scope, { args }: Signature, bound: Bound, params: readonly string[]): Bound {
  const { draw } = scope.library;
  const all = new Map(bound);
  for (const name of args.flatMap(({ type }) => type.shape.flatMap(namesIn)))
    if (!all.has(name))
      all.set(name, params.includes(name) ? draw.of([one, size(2), size(3)]) : draw.of([...scope.sizes, size(2), one]));
  return all;
}

function argumentsFor(scope: Scope, { args }: Signature, bound: Bound, deep: number): readonly Expr[] {
  return args.map(({ type }) => {
    const shape = type.shape.map((axis) => withSizes(axis, (name) => bound.get(name) ?? named(name)));
    return drawExpr(scope, tensor(type.dtype, shape), deep - 1);
  });
}

function called(scope: Scope, type: Type, deep: number): Expr | undefined {
  const { library } = scope;
  const { draw } = library;
  const namesOf = (params: readonly Param[]) => params.filter(({ kind }) => kind === 'int').map(({ name }) => name);
  const fitting = library.fns.flatMap((fn) => {
    const bound = unify(fn.type.shape, type.shape, new Map(), namesOf(fn.params));
    return bound ? [{ fn, bound }] : [];
  });
  if (fitting.length > 0 && !draw.once(4)) {
    const { fn, bound } = draw.of(fitting);
    const all = closed(scope, fn, bound, namesOf(fn.params));
    const statics = fn.params.map((param): Argument => {
      const is = all.get(param.name);
      return is ? { kind: 'size', size: is } : drawArgument(scope, param);
    });
    return expr('call', type, argumentsFor(scope, fn, all, deep), { fn: fn.name, statics });
  }
  if (library.fns.length >= 4) return undefined;
  const { signature, params, bound } = abstracted(scope, type);
  const own = [...params, ...drawParams(library)];
  const body = drawBody(scope, signature, own, undefined, deep);
  const name = fresh(library, 'fn');
  library.fns.push({ name, params: own, ...signature, body });
  const statics = own.map((param): Argument => {
    const is = bound.get(param.name);
    return is ? { kind: 'size', size: is } : drawArgument(scope, param);
  });
  return expr('call', type, argumentsFor(scope, signature, bound, deep), { fn: name, statics });
}

/** A signature whose result has names in the place of sizes, and what these stand for. */
function abstracted(scope: Scope, type: Type): { signature: Signature; params: Param[]; bound: Bound } {
  const { draw } = scope.library;
  const bound = new Map<string, Size>();
  const params: Param[] = [];
  const nameOf = (axis: Size): Size => {
    for (const [name, is] of bound) if (sameSize(is, axis) && !draw.once(5)) return named(name);
    const number = asNumber(axis);
    if (number !== undefined && draw.once(2)) return axis;
    if (isStatic(axis) && draw.once(2)) {
      const name = `n${params.length}`;
      params.push({ name, kind: 'int', choices: [], slot: undefined, value: undefined });
      bound.set(name, axis);
      return named(name);
    }
    const name = dimNames[bound.size - params.length] ?? 'Z';
    bound.set(name, axis);
    return named(name);
  };
  const result = type.shape.map(nameOf);
  const shape = draw.once(3) ? draw.shuffled(result) : [...result];
  if (shape.length < 4 && draw.once(3))
    shape.splice(draw.below(shape.length + 1), 0, nameOf(draw.of([...scope.sizes, size(2)])));
  const args: Port[] = [{ name: 'a', type: tensor('f32', shape) }];
  if (draw.once(3)) {
    const other = draw.shuffled(shape).slice(0, 1 + draw.below(shape.length));
    args.push({ name: 'b', type: tensor('f32', other) });
  }
  return { signature: { args, type: tensor('f32', result) }, params, bound };
}

const dimNames = ['P', 'Q', 'R', 'S', 'T', 'U', 'V', 'X', 'Y'];

/** Parameters that are no sizes of the signature. */
function drawParams({ draw }: Library): Param[] {
  const all: Param[] = [
    { name: 'k', kind: 'int', choices: [], slot: undefined, value: draw.of([1, 2, 3]) },
    { name: 'on', kind: 'flag', choices: [], slot: undefined, value: draw.once(2) },
    { name: 'mode', kind: 'choice', choices: ['one', 'two'], slot: undefined, value: draw.of(['one', 'two']) },
    { name: 'ks', kind: 'ints', choices: [], slot: undefined, value: draw.of([[1], [2, 1], [1, 2, 3]]) },
    { name: 'maybe', kind: 'option', choices: [], slot: undefined, value: draw.of([null, 2, 3]) },
  ];
  return draw.shuffled(all).slice(0, draw.below(3));
}

export function drawArgument({ params, library: { draw } }: Scope, { kind, choices }: Param): Argument {
  const literal = (value: Param['value']): Argument => ({ kind: 'literal', value: value ?? null });
  switch (kind) {
    case 'int': {
      const ints = params.filter((one_) => one_.kind === 'int');
      if (ints.length > 0 && draw.once(3)) return { kind: 'size', size: named(draw.of(ints).name) };
      return literal(draw.of([1, 2, 3]));
    }
    case 'float':
      return literal(draw.of([0.5, 0.25, 2]));
    case 'flag':
      return literal(draw.once(2));
    case 'choice':
      return literal(draw.of(choices));
    case 'ints':
      return literal(draw.of([[2], [1, 3], [3, 1, 2], []]));
    case 'option':
      return literal(draw.of([null, 1, 2]));
    case 'slot':
      throw new Error('a slot is filled by a module');
  }
}

interface Members {
  readonly weights: Scope['weights'];
  readonly parts: Part[];
  readonly statics: readonly string[];
}

function drawBody(
  around: Scope,
  signature: Signature,
  params: readonly Param[],
  members: Members | undefined,
  deep: number,
): Body {
  const { library } = around;
  const names = [...new Set(signature.args.flatMap(({ type }) => type.shape.flatMap(namesIn)))];
  const ints = params.filter(({ kind, value }) => kind === 'int' && value !== undefined).map(({ name }) => name);
  const sizes = [...names, ...ints, ...(members?.statics ?? [])].map(named);
  const scope: Scope = {
    library,
    sizes: sizes.length > 0 ? sizes : [size(2)],
    params,
    ports: signature.args,
    lets: [],
    parts: members?.parts ?? [],
    weights: members?.weights,
    inputs: undefined,
    naming: true,
    nesting: around.nesting + 1,
  };
  const result = drawExpr(scope, signature.type, Math.min(deep, 3));
  return { lets: scope.lets, result };
}

/** The parameters of a part, as sizes where it is. */
function given(part: Part): Bound {
  return new Map(
    part.args.flatMap(([name, value]): [string, Size][] => {
      if (value.kind === 'size') return [[name, value.size]];
      return value.kind === 'literal' && typeof value.value === 'number' ? [[name, size(value.value)]] : [];
    }),
  );
}

function signaturesOf(scope: Scope, part: Part): readonly (Signature & { readonly method: string })[] {
  const slot = scope.params.find(({ name, kind }) => kind === 'slot' && name === part.of);
  const { modules, interfaces } = scope.library;
  const filled: Interface | undefined = interfaces.find(({ name }) => name === slot?.slot);
  if (filled) return [{ ...filled, method: 'forward' }];
  return (modules.find(({ name }) => name === part.of)?.methods ?? []).map((method) => ({
    ...method,
    method: method.name,
  }));
}

function applied(scope: Scope, type: Type, deep: number): Expr | undefined {
  const { library } = scope;
  const { draw } = library;
  const fitting = scope.parts
    .filter((part) => !updates(library, part.of))
    .flatMap((part) =>
      signaturesOf(scope, part).flatMap((signature) => {
        const bound = unify(signature.type.shape, type.shape, given(part), []);
        return bound ? [{ part, signature, bound }] : [];
      }),
    );
  if (fitting.length > 0 && !draw.once(3)) {
    const { part, signature, bound } = draw.of(fitting);
    return apply(scope, part, signature, signature.method, bound, type, deep);
  }
  const known = library.modules.flatMap((module) =>
    module.methods.flatMap((method) => {
      const bound = unify(
        method.type.shape,
        type.shape,
        new Map(),
        module.params.map(({ name }) => name),
      );
      return bound ? [{ module, method, bound }] : [];
    }),
  );
  if (known.length > 0 && !draw.once(3)) {
    const { module, method, bound } = draw.of(known);
    const all = closed(
      scope,
      method,
      bound,
      module.params.map(({ name }) => name),
    );
    const part = newPart(scope, module, all);
    return apply(scope, part, method, method.name, all, type, deep);
  }
  if (library.modules.length >= 5 || scope.nesting > 2) return undefined;
  const { module, bound } = newModule(scope, type, deep);
  const [method] = module.methods;
  if (!method) return undefined;
  const part = newPart(scope, module, bound);
  return apply(scope, part, method, method.name, bound, type, deep);
}

/** Whether a call of the module changes a buffer. */
function updates(library: Library, name: string): boolean {
  const module = library.modules.find((one_) => one_.name === name);
  if (!module) return false;
  return (
    module.methods.some((method) => method.updates.length > 0) || module.parts.some(({ of }) => updates(library, of))
  );
}

function apply(
  scope: Scope,
  part: Part,
  signature: Signature,
  method: string,
  bound: Bound,
  type: Type,
  deep: number,
): Expr {
  const all = closed(scope, signature, bound, []);
  return expr('apply', type, argumentsFor(scope, signature, all, deep), { part: part.name, method });
}

function newPart(scope: Scope, module: Module, bound: Bound): Part {
  const { library, parts } = scope;
  const { draw } = library;
  const args = module.params.flatMap((param): [string, Argument][] => {
    if (param.kind === 'slot') return [];
    const is = bound.get(param.name);
    if (is) return [[param.name, { kind: 'size', size: is }]];
    return param.value !== undefined && draw.once(2)
      ? []
      : [[param.name, readable(scope, param) ?? drawArgument(scope, param)]];
  });
  const slots = module.params.flatMap((param): [string, string][] => {
    const filling = library.modules.filter(({ fills }) => fills === param.slot);
    return param.kind === 'slot' && filling.length > 0 && draw.once(2) ? [[param.name, draw.of(filling).name]] : [];
  });
  const part: Part = { name: fresh(library, 'm'), of: module.name, args, slots };
  parts.push(part);
  return part;
}

/** A static of a part of the model that stands before. */
function readable(scope: Scope, { kind }: Param): Argument | undefined {
  const { library, parts, inputs } = scope;
  if (kind !== 'int' || !inputs || !library.draw.once(2)) return undefined;
  const paths = staticPaths(library, parts);
  return paths.length === 0
    ? undefined
    : { kind: 'read', path: library.draw.of(paths), plus: library.draw.of([0, 0, 1]) };
}

/** Ints that can be read of parts: `m3.hidden`. */
export function staticPaths(
  { modules }: { readonly modules: readonly Module[] },
  parts: readonly Part[],
): readonly string[] {
  return parts.flatMap((part) => {
    const module = modules.find(({ name }) => name === part.of);
    const ints = module?.params.filter(({ kind }) => kind === 'int').map(({ name }) => name) ?? [];
    return [...ints, ...(module?.statics.map(([name]) => name) ?? [])].map((name) => `${part.name}.${name}`);
  });
}

function newModule(scope: Scope, type: Type, deep: number): { module: Module; bound: Bound } {
  const { library } = scope;
  const { draw } = library;
  const { signature, params, bound } = abstracted(scope, type);
  const own = [...params, ...drawParams(library)];
  const ints = own.filter(({ kind }) => kind === 'int');
  const statics: [string, Size][] = [];
  if (ints.length > 0 && draw.once(2)) {
    const formula = draw.once(2)
      ? times(size(2), named(draw.of(ints).name))
      : times(
          ...draw
            .shuffled(ints)
            .slice(0, 2)
            .map(({ name }) => named(name)),
        );
    statics.push(['hidden', formula]);
  }
  const parts: Part[] = [];
  const [channels] = params;
  if (channels && draw.once(3)) {
    const slot = interfaceFor(scope);
    if (slot) {
      own.push({
        name: 'inner',
        kind: 'slot',
        choices: [],
        slot: slot.name,
        value: draw.of(library.modules.filter(({ fills }) => fills === slot.name)).name,
      });
      parts.push({
        name: 'within',
        of: 'inner',
        args: [['dim', { kind: 'size', size: named(channels.name) }]],
        slots: [],
      });
    }
  }
  const members: Members = { weights: [], parts, statics: statics.map(([name]) => name) };
  const methods: Method[] = [];
  const updates = library.trains && draw.once(3) ? drawUpdates(scope, signature, members) : [];
  const read = updates.length > 0 && draw.once(2) ? earlyReads(library, members) : [];
  const drawn = drawBody(scope, signature, own, members, deep);
  const body = read.reduce(
    ({ lets, result }, { name, value }) => ({ lets, result: binary('mul', result, ref(name, value.type)) }),
    drawn,
  );
  methods.push({
    name: 'forward',
    ...signature,
    body: library.trains ? weighted(scope, body, members) : body,
    early: read,
    updates,
  });
  if (updates.length === 0 && draw.once(4)) {
    const other: Signature = { args: signature.args, type: tensor('f32', draw.shuffled(signature.type.shape)) };
    methods.push({
      name: 'other',
      ...other,
      body: drawBody(scope, other, own, members, deep - 1),
      early: [],
      updates: [],
    });
  }
  const used = parts.filter((part) => methods.some(({ body: one_ }) => usesPart(one_, part.name)));
  const module: Module = {
    name: fresh(library, 'M'),
    fills: undefined,
    params: own.filter(({ kind, name }) => kind !== 'slot' || used.some(({ of }) => of === name)),
    statics,
    weights: members.weights ?? [],
    parts: used,
    methods,
  };
  library.modules.push(module);
  return { module, bound };
}

/** The body with a weight behind it, so that there is something to train. */
function weighted({ library }: Scope, { lets, result }: Body, { weights }: Members): Body {
  const { draw } = library;
  const last = result.type.shape.at(-1);
  const shape = last && isStatic(last) && draw.once(2) ? [last] : [];
  const name = fresh(library, 'w');
  weights?.push({ name, shape, buffer: false, decay: !draw.once(4), path: undefined });
  const fn = draw.of(['mul', 'mul', 'add', 'max'] as const);
  return { lets, result: binary(fn, result, ref(name, tensor('f32', shape))) };
}

/** A buffer that follows what comes in, and so may be updated once in a step only. */
function drawUpdates({ library }: Scope, { args }: Signature, { weights }: Members): readonly Let[] {
  const { draw } = library;
  const [port] = args;
  if (!port || !weights) return [];
  const { shape } = port.type;
  const name = fresh(library, 'b');
  const kept = shape.flatMap((axis, i) => (isStatic(axis) ? [i] : []));
  const type = tensor(
    'f32',
    kept.map((i) => shape[i] ?? one),
  );
  weights.push({ name, shape: type.shape, buffer: true, decay: true, path: undefined });
  const gone = shape.flatMap((_, i) => (kept.includes(i) ? [] : [i]));
  const now = reduced(draw.of(['mean', 'amax'] as const), ref(port.name, port.type), gone);
  const value = binary('add', binary('mul', ref(name, type), num(0.5)), binary('mul', now, num(0.5)));
  if (!draw.once(2)) return [{ name, value }];
  // A weight that the update alone reads so.
  const weight = fresh(library, 'w');
  weights.push({ name: weight, shape: [], buffer: false, decay: true, path: undefined });
  return [{ name, value: binary('add', value, unary('sin', ref(weight, tensor('f32', [])))) }];
}

/** Sums over buffers as they are before the call changes them. */
function earlyReads(library: Library, { weights }: Members): readonly Let[] {
  return (weights ?? []).flatMap(({ name, shape, buffer }) => {
    if (!buffer) return [];
    const all = shape.map((_, i) => i);
    return [{ name: fresh(library, 'e'), value: reduced('sum', unary('cos', ref(name, tensor('f32', shape))), all) }];
  });
}

function usesPart({ lets, result }: Body, name: string): boolean {
  const within = (e: Expr): boolean => (e.op === 'apply' && e.at.part === name) || e.args.some(within);
  return within(result) || lets.some(({ value }) => within(value));
}

/** The program's one interface, with two modules that fill it. */
function interfaceFor(scope: Scope): Interface | undefined {
  const { library } = scope;
  const [known] = library.interfaces;
  if (known) return known;
  if (library.budget < 6) return undefined;
  const shape = [named('B'), named('N'), named('dim')];
  const args: Port[] = [{ name: 'a', type: tensor('f32', shape) }];
  const made: Interface = { name: 'Inner', params: ['dim'], statics: [], args, type: tensor('f32', shape) };
  library.interfaces.push(made);
  for (let i = 0; i < 2; i++) {
    const dim: Param = { name: 'dim', kind: 'int', choices: [], slot: undefined, value: undefined };
    const params = [dim, ...drawParams(library)];
    const members: Members = { weights: [], parts: [], statics: [] };
    const signature = { args, type: made.type };
    const body = drawBody({ ...scope, nesting: 5 }, signature, params, members, 2);
    const methods = [{ name: 'forward', ...signature, body, early: [], updates: [] }];
    const parts = members.parts.filter((part) => usesPart(body, part.name));
    library.modules.push({
      name: fresh(library, 'M'),
      fills: made.name,
      params,
      statics: [],
      weights: members.weights ?? [],
      parts,
      methods,
    });
  }
  return made;
}
