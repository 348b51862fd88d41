import type { Draw } from '../../draws.ts';
import { namesIn, type Size } from '../program/size.ts';
import type {
  Expr,
  Fn,
  Input,
  Interface,
  Let,
  Module,
  Param,
  Part,
  Port,
  Type,
  Values,
  Weight,
} from '../program/tree.ts';

/** Declarations made so far, for all scopes of one program. */
export interface Library {
  readonly draw: Draw;
  readonly fns: Fn[];
  readonly modules: Module[];
  readonly interfaces: Interface[];
  /** How many operations may still be drawn. */
  budget: number;
  /** Whether there will be a recipe. */
  readonly trains: boolean;
  readonly drawExpr: (scope: Scope, type: Type, deep: number) => Expr;
  next: number;
}

/** Where an expression is drawn: what it may name, and what it may ask for. */
export interface Scope {
  readonly library: Library;
  /** Sizes for axes, as the scope writes them. */
  readonly sizes: readonly Size[];
  readonly params: readonly Param[];
  readonly ports: readonly Port[];
  readonly lets: Let[];
  readonly parts: Part[];
  /** Of a module; undefined where there are none. */
  readonly weights: Weight[] | undefined;
  /** Of a model. */
  readonly inputs: Input[] | undefined;
  /** Whether an expression may be given a name. */
  readonly naming: boolean;
  readonly nesting: number;
}

export function fresh(library: Library, stem: string): string {
  library.next++;
  return `${stem}${library.next}`;
}

/** Whether a size is known when the graph is made: dims begin with a capital. */
export const isStatic = (size: Size): boolean => namesIn(size).every((name) => !/^[A-Z]/.test(name));

export function visible({ ports, lets, inputs, weights }: Scope): readonly Port[] {
  const own = (inputs ?? []).filter(({ fed, type }) => fed === type.dtype);
  const weighing = (weights ?? []).map(({ name, shape }): Port => ({ name, type: { dtype: 'f32', shape } }));
  return [...ports, ...lets.map(({ name, value }) => ({ name, type: value.type })), ...own, ...weighing];
}

export function addInput(scope: Scope, type: Type): Port | undefined {
  const { inputs, library } = scope;
  if (!inputs) return undefined;
  const { draw } = library;
  const values: Values =
    type.dtype === 'bool'
      ? 'bits'
      : type.dtype === 'i32'
        ? 'index'
        : draw.of(['smooth', 'smooth', 'grid', 'grid', 'special'] as const);
  const input: Input = { name: fresh(library, 'x'), type, fed: type.dtype, values };
  inputs.push(input);
  return input;
}
