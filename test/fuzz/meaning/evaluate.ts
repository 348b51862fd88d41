import { type Size, sizeAt } from '../program/size.ts';
import type {
  Argument,
  Body,
  Condition,
  Expr,
  Fn,
  Line,
  Method,
  Module,
  Param,
  Part,
  Program,
  Static,
  Weight,
} from '../program/tree.ts';
import type { Tensor } from './tensors.ts';
import * as tensors from './tensors.ts';

/** What a program means, by this test's own account: nothing of the compiler is used. */
export interface World {
  /** The dims of the model. */
  readonly sizes: ReadonlyMap<string, number>;
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** By path, in the shape that the module declares. */
  readonly weight: (path: string, shape: readonly number[], declared: Weight) => Tensor;
  readonly training: boolean;
}

export interface Meaning {
  readonly outputs: ReadonlyMap<string, Tensor>;
  readonly terms: ReadonlyMap<string, Tensor>;
  /** Buffers after a training step, by path. */
  readonly buffers: ReadonlyMap<string, Tensor>;
}

interface Instance {
  readonly module: Module;
  readonly path: string;
  readonly statics: ReadonlyMap<string, Static>;
  readonly parts: ReadonlyMap<string, Instance>;
}

interface Scope {
  readonly statics: ReadonlyMap<string, Static>;
  readonly sizes: ReadonlyMap<string, number>;
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly parts: ReadonlyMap<string, Instance>;
}

export function evaluate(program: Program, world: World): Meaning {
  return new Evaluation(program, world).all();
}

/** The statics of the finished model by path, `a.hidden`, for what reads them. */
export class Evaluation {
  readonly #program: Program;
  readonly #world: World;
  readonly #modules: ReadonlyMap<string, Module>;
  readonly #fns: ReadonlyMap<string, Fn>;
  readonly #params: Map<string, Static>;
  /** The nearest line for each path. */
  readonly #lines: ReadonlyMap<string, Line>;
  readonly #read = new Map<string, Static>();
  readonly #buffers = new Map<string, Tensor>();

  constructor(program: Program, world: World) {
    this.#program = program;
    this.#world = world;
    this.#modules = new Map(program.modules.map((one) => [one.name, one]));
    this.#fns = new Map(program.fns.map((one) => [one.name, one]));
    this.#lines = new Map(program.variants.flatMap(({ lines }) => lines.map((line) => [line.path.join('.'), line])));
    this.#params = new Map();
    for (const param of program.model.params) this.#params.set(param.name, this.#static(param.name));
  }

  all(): Meaning {
    const { model, recipe } = this.#program;
    const parts = new Map(model.parts.map((part) => [part.name, this.#part(part, part.name, this.#params)]));
    const known = new Map<string, Tensor>(this.#world.inputs);
    const scope: Scope = { statics: this.#params, sizes: this.#world.sizes, tensors: known, parts };
    for (const { name, value } of model.lets) known.set(name, this.#run(value, scope));
    const outputs = new Map(model.outputs.map(({ name, value }) => [name, this.#run(value, scope)]));
    for (const [name, value] of outputs) known.set(name, value);
    const losses = this.#world.training ? (recipe?.terms ?? []) : [];
    const terms = new Map(losses.map(({ name, value }) => [name, this.#run(value, scope)]));
    return { outputs, terms, buffers: this.#buffers };
  }

  /** The value of `dim` or `a.hidden` in the finished model. */
  #static(path: string): Static {
    const known = this.#read.get(path);
    if (known !== undefined) return known;
    const value = this.#computed(path);
    this.#read.set(path, value);
    return value;
  }

  #computed(path: string): Static {
    const line = this.#lines.get(path);
    if (line) return this.#argument(line.value, (name) => this.#static(name));
    const { model } = this.#program;
    const [first = '', name] = path.split('.');
    if (name === undefined) {
      const param = model.params.find((one) => one.name === first);
      if (param?.value === undefined) throw new Error(`no value for ${path}`);
      return param.value;
    }
    const part = model.parts.find((one) => one.name === first)!;
    const module = this.#module(part);
    const formula = module.statics.find(([one]) => one === name);
    if (formula) return sizeAt(formula[1], (other) => numberOf(this.#static(`${first}.${other}`)));
    const given = part.args.find(([one]) => one === name)?.[1];
    if (given) return this.#argument(given, (other) => this.#static(other));
    return module.params.find((one) => one.name === name)!.value!;
  }

  #argument(argument: Argument, read: (path: string) => Static): Static {
    switch (argument.kind) {
      case 'literal':
        return argument.value;
      case 'size':
        return sizeAt(argument.size, (name) => numberOf(read(name)));
      case 'read': {
        const value = read(argument.path);
        return argument.plus === 0 ? value : numberOf(value) + argument.plus;
      }
    }
  }

  #module(part: Part, slots: ReadonlyMap<string, Static> = new Map()): Module {
    const slot = slots.get(part.of);
    return this.#modules.get(typeof slot === 'string' ? slot : part.of)!;
  }

  /** A part of the model, or of a module whose statics are `around`. */
  #part(part: Part, path: string, around: ReadonlyMap<string, Static>): Instance {
    const module = this.#module(part, around);
    const isTop = !path.includes('.');
    const statics = new Map<string, Static>();
    for (const param of module.params) statics.set(param.name, this.#paramOf(part, param, path, around, isTop));
    for (const [name, formula] of module.statics) {
      const line = isTop ? this.#static(`${path}.${name}`) : undefined;
      statics.set(name, line ?? sizeAt(formula, (other) => numberOf(lookup(statics, other))));
    }
    const parts = new Map(module.parts.map((one) => [one.name, this.#part(one, `${path}.${one.name}`, statics)]));
    return { module, path, statics, parts };
  }

  #paramOf(part: Part, param: Param, path: string, around: ReadonlyMap<string, Static>, isTop: boolean): Static {
    const { name, value } = param;
    const filled = part.slots.find(([one]) => one === name)?.[1];
    if (filled !== undefined) return filled;
    if (param.kind === 'slot') return value!;
    if (isTop) return this.#static(`${path}.${name}`);
    const line = this.#lines.get(`${path}.${name}`);
    if (line) return this.#argument(line.value, (other) => this.#static(other));
    const given = part.args.find(([one]) => one === name)?.[1];
    return given ? this.#argument(given, (other) => lookup(around, other)) : value!;
  }

  #size(size: Size, scope: Scope): number {
    return sizeAt(size, (name) => scope.sizes.get(name) ?? numberOf(lookup(scope.statics, name)));
  }

  #shape(shape: readonly Size[], scope: Scope): number[] {
    return shape.map((one) => this.#size(one, scope));
  }

  #body({ lets, result }: Body, scope: Scope): Tensor {
    const known = new Map(scope.tensors);
    const inside = { ...scope, tensors: known };
    for (const { name, value } of lets) known.set(name, this.#run(value, inside));
    return this.#run(result, inside);
  }

  #call(fn: Fn, args: readonly Tensor[], statics: readonly Static[]): Tensor {
    const values = new Map(fn.params.map(({ name }, i) => [name, statics[i]!]));
    const scope = bind(fn.args, args, { statics: values, sizes: new Map(), tensors: new Map(), parts: new Map() });
    return this.#body(fn.body, scope);
  }

  #apply(instance: Instance, method: Method, args: readonly Tensor[]): Tensor {
    const { module, statics, path, parts } = instance;
    const known = new Map<string, Tensor>();
    const bare = { statics, sizes: new Map<string, number>(), tensors: known, parts };
    for (const weight of module.weights) {
      const at = `${path}.${weight.path ?? weight.name}`;
      const value = () => this.#world.weight(at, this.#shape(weight.shape, bare), weight);
      known.set(weight.name, this.#buffers.get(at) ?? value());
    }
    const scope = bind(method.args, args, bare);
    for (const { name, value } of method.early)
      (scope.tensors as Map<string, Tensor>).set(name, this.#run(value, scope));
    if (this.#world.training)
      for (const { name, value } of method.updates) {
        const updated = { ...this.#run(value, scope), slope: undefined };
        const declared = module.weights.find((weight) => weight.name === name);
        this.#buffers.set(`${path}.${declared?.path ?? name}`, updated);
        (scope.tensors as Map<string, Tensor>).set(name, updated);
      }
    return this.#body(method.body, scope);
  }

  #holds(condition: Condition, scope: Scope): boolean {
    switch (condition.kind) {
      case 'flag':
        return scope.statics.get(condition.name) === true;
      case 'is':
        return scope.statics.get(condition.name) === condition.text;
      case 'given':
        return scope.statics.get(condition.name) !== null;
      case 'more':
        return this.#size(condition.left, scope) > condition.right;
      case 'training':
        return this.#world.training;
    }
  }

  #run(e: Expr, scope: Scope): Tensor {
    if (e.op === 'choose') return this.#run(e.args[this.#holds(e.at.when, scope) ? 0 : 1]!, scope);
    if (e.op === 'fold') return this.#fold(e, scope);
    if (e.op === 'indexed') return this.#indexed(e, scope);
    const args = e.args.map((arg) => this.#run(arg, scope));
    const [a, b, c] = args as [Tensor, Tensor, Tensor];
    const shape = () => this.#shape(e.type.shape, scope);
    const { dtype } = e.type;
    switch (e.op) {
      case 'name': {
        const found = scope.tensors.get(e.at.name);
        if (!found) throw new Error(`no tensor ${e.at.name}`);
        return found;
      }
      case 'number':
        return tensors.scalar(dtype, e.at.value);
      case 'full': {
        const { value } = e.at;
        return tensors.make(dtype, shape(), () => value);
      }
      case 'unary':
        return tensors.unary(e.at.fn, a);
      case 'binary':
        return tensors.binary(e.at.fn, a, b);
      case 'compare':
        return tensors.compare(e.at.fn, a, b);
      case 'logic': {
        const isAnd = e.at.fn === 'and';
        return tensors.logical(a, b, (x, y) => (isAnd ? x === 1 && y === 1 : x === 1 || y === 1));
      }
      case 'not':
        return tensors.make('bool', a.shape, (i) => 1 - a.data[i]!);
      case 'select':
        return tensors.select(a, b, c);
      case 'pattern': {
        const sizes = new Map(e.at.sizes.map(([name, of]) => [name, this.#size(of, scope)]));
        return tensors.pattern(e.at.how, args, e.at.left, e.at.right, sizes);
      }
      case 'concat':
        return tensors.concat(args, e.at.axis);
      case 'stack': {
        const { axis } = e.at;
        const opened = args.map((x) => ({ ...x, shape: [...x.shape.slice(0, axis), 1, ...x.shape.slice(axis)] }));
        return tensors.concat(opened, axis);
      }
      case 'slice': {
        const { ranges } = e.at;
        const starts = ranges.map((range) =>
          range === 'all' ? 0 : this.#size('index' in range ? range.index : range.from, scope),
        );
        const goes = ranges.map((range) => range !== 'all' && 'index' in range);
        const ends = ranges.map((range, axis) =>
          range === 'all' ? a.shape[axis]! : 'index' in range ? starts[axis]! + 1 : this.#size(range.to, scope),
        );
        const kept = ends.map((end, axis) => end - starts[axis]!);
        const result = tensors.moved(a, kept, (index) => index.map((i, axis) => i + starts[axis]!));
        return { ...result, shape: kept.filter((_, axis) => !goes[axis]) };
      }
      case 'pad': {
        const { axis, value } = e.at;
        const low = this.#size(e.at.low, scope);
        return tensors.moved(
          a,
          shape(),
          (index) => {
            const at = index[axis]! - low;
            return at < 0 || at >= a.shape[axis]! ? undefined : index.map((i, j) => (j === axis ? at : i));
          },
          value,
        );
      }
      case 'roll': {
        const { axis, by } = e.at;
        const n = a.shape[axis]!;
        return tensors.moved(a, a.shape, (index) => index.map((i, j) => (j === axis ? (((i - by) % n) + n) % n : i)));
      }
      case 'softmax':
        return tensors.softmax(a, e.at.axis, e.at.log);
      case 'layer_norm':
        return tensors.layerNorm(a, b, c, e.at.eps);
      case 'matmul':
        return tensors.matmul(a, b);
      case 'conv':
        return tensors.conv(a, b, e.at);
      case 'pool':
        return tensors.maxPool(a, e.at.kernel, e.at.stride);
      case 'sample':
        return tensors.sample(a, b);
      case 'gather':
        return tensors.gather(a, b);
      case 'scatter':
        return tensors.scatter(a, b, this.#size(e.at.rows, scope));
      case 'top':
        return tensors.top(a, this.#size(e.at.k, scope), e.at.part);
      case 'cast':
        return tensors.cast(a, dtype);
      case 'as':
        return a;
      case 'iota':
        return tensors.make('i32', shape(), (i) => i);
      case 'size':
        return tensors.scalar(dtype, this.#size(e.at.size, scope));
      case 'call': {
        const read = (name: string) => lookup(scope.statics, name);
        return this.#call(
          this.#fns.get(e.at.fn)!,
          args,
          e.at.statics.map((one) => this.#argument(one, read)),
        );
      }
      case 'apply': {
        const instance = scope.parts.get(e.at.part)!;
        return this.#apply(instance, instance.module.methods.find(({ name }) => name === e.at.method)!, args);
      }
    }
  }

  #fold(e: Extract<Expr, { op: 'fold' }>, scope: Scope): Tensor {
    let x = this.#run(e.args[0]!, scope);
    const list = scope.statics.get(e.at.list);
    if (typeof list !== 'object' || list === null) throw new Error(`no list ${e.at.list}`);
    for (const item of list) {
      const inside = {
        ...scope,
        statics: new Map(scope.statics).set(e.at.item, item),
        tensors: new Map(scope.tensors).set(e.at.name, x),
      };
      x = this.#run(e.args[1]!, inside);
    }
    return x;
  }

  #indexed(e: Extract<Expr, { op: 'indexed' }>, scope: Scope): Tensor {
    const shape = this.#shape(e.type.shape, scope);
    const data: number[] = [];
    tensors.walk(shape, (index) => {
      const known = new Map(scope.tensors);
      for (const [i, name] of e.at.names.entries()) known.set(name, tensors.scalar('i32', index[i]!));
      data.push(this.#run(e.args[0]!, { ...scope, tensors: known }).data[0]!);
    });
    return tensors.make(e.type.dtype, shape, (i) => data[i]!);
  }
}

function numberOf(value: Static): number {
  if (typeof value !== 'number') throw new Error(`${JSON.stringify(value)} is no number`);
  return value;
}

/** `dim`, `sizes[1]`. */
function lookup(statics: ReadonlyMap<string, Static>, name: string): Static {
  const [, list = name, index] = /^(\w+)\[(\d+)\]$/.exec(name) ?? [];
  const value = statics.get(list);
  if (value === undefined) throw new Error(`no static ${name}`);
  return index === undefined ? value : (value as readonly number[])[Number(index)]!;
}

/** The dims of a signature, read off the arguments. */
function bind(
  ports: readonly { readonly name: string; readonly type: { readonly shape: readonly Size[] } }[],
  args: readonly Tensor[],
  scope: Scope,
): Scope {
  const sizes = new Map(scope.sizes);
  const known = new Map(scope.tensors);
  for (const [i, { name, type }] of ports.entries()) {
    known.set(name, args[i]!);
    for (const [axis, { terms }] of type.shape.entries()) {
      const [only] = terms;
      const dim = terms.length === 1 && only?.by === 1 && only.of.length === 1 ? only.of[0] : undefined;
      if (typeof dim === 'string' && /^[A-Z]/.test(dim) && !sizes.has(dim)) sizes.set(dim, args[i]!.shape[axis]!);
    }
  }
  return { ...scope, sizes, tensors: known };
}
