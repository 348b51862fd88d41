import type { Span } from '../../../grammar/span.ts';
import type {
  Expr,
  Ident,
  InputMember,
  ItemName,
  ModelDecl,
  ModelField,
  ModelLet,
  ModelLetItems,
  OutputMember,
  Param,
  Path,
} from '../../../grammar/tree.ts';
import type { FileScope } from '../source/file-scope.ts';

/** A declaration with the model that contains it. */
export interface From<T> {
  readonly decl: T;
  readonly file: FileScope;
  /** The model that contains it: the base, or the variant that replaced it. */
  readonly model: string;
  /** Index of that model in the inheritance chain; the variant itself has the greatest. */
  readonly nearness: number;
}

/** A new value for a parameter or slot. */
export interface FromValue extends From<Expr> {
  /** The value it replaces, unless that is the parameter's default. */
  readonly before: FromValue | undefined;
}

/** One name of a `let (a, b) = …`; its value is a separate equation with a name that source cannot contain. */
export interface LetItem {
  readonly kind: 'let-item';
  readonly name: Ident;
  /** All names of the `let`. */
  readonly names: readonly ItemName[];
  readonly position: number;
  readonly whole: string;
  readonly span: Span;
}

export type Equation = ModelLet | LetItem;

/** The internal name of the value that a `let (a, b) = …` destructures. */
export function wholeName(names: readonly ItemName[]): string {
  return `(${names.map(({ name }) => name.name).join(', ')})`;
}

/** Returns the equations for one name of a `let (a, b) = …`: one for the whole value, one for the name. */
export function takenApart({ names, value, docs, span }: ModelLetItems, position: number): readonly Equation[] {
  const whole = wholeName(names);
  const { name } = names[position]!;
  const letSpan = { ...span, start: names[0]!.item.span.start, end: names[names.length - 1]!.name.span.end };
  const ident: Ident = { kind: 'ident', name: whole, span: letSpan };
  return [
    { kind: 'model-let', docs, name: ident, value, span },
    { kind: 'let-item', name, names, position, whole, span: name.span },
  ];
}

/** Whether source can refer to an equation by its name. */
export function isWritten(name: string): boolean {
  return !name.startsWith('(');
}

/** A part, declared or replaced. */
export interface FromField extends From<ModelField> {
  /** The base of the model that contains it. */
  readonly base: string | undefined;
  /** The part that it replaces. */
  readonly before: FromField | undefined;
}

/** An override of something deeper than a field: `backbone.layers[2].window = 6`. */
export interface DeepOverride {
  /** The first step of the path: a part of the model. */
  readonly name: string;
  readonly path: Path;
  readonly value: Expr;
  readonly file: FileScope;
  readonly model: string;
  /** Index of that model in the inheritance chain; the nearest has the greatest. */
  readonly nearness: number;
}

/** A model merged with its bases. */
export interface FlatModel {
  readonly name: string;
  readonly decl: ModelDecl;
  readonly file: FileScope;
  readonly docs: readonly string[];
  /** Its own index in the inheritance chain, the greatest. */
  readonly nearness: number;
  readonly params: Map<string, From<Param>>;
  /** New values of slots and parameters. */
  readonly values: Map<string, FromValue>;
  readonly fields: Map<string, FromField>;
  readonly inputs: Map<string, From<InputMember>>;
  readonly lets: Map<string, From<Equation>>;
  readonly outputs: Map<string, From<OutputMember>>;
  readonly where: From<Expr>[];
  readonly overrides: DeepOverride[];
  /** Overrides inside a declaration that a nearer model has replaced; the replacing expression still sees them. */
  readonly superseded: DeepOverride[];
  readonly removed: Map<string, Span>;
}
