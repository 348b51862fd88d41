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

/** A declaration with the model it came from. */
export interface From<T> {
  readonly decl: T;
  readonly file: FileScope;
  /** The model that wrote it: the base, or the variant that replaced it. */
  readonly model: string;
  /** Place of that model in the chain: the nearest to the variant has the greatest. */
  readonly nearness: number;
}

/** The value of a parameter or slot, given anew. */
export interface FromValue extends From<Expr> {
  /** What it replaces, where that is not the parameter's default. */
  readonly before: FromValue | undefined;
}

/** One name of a `let (a, b) = …`; the value is an equation of its own, by a name that nothing else can have. */
export interface LetItem {
  readonly kind: 'let-item';
  readonly name: Ident;
  /** What `whole` is read as. */
  readonly names: readonly ItemName[];
  readonly position: number;
  readonly whole: string;
  readonly span: Span;
}

export type Equation = ModelLet | LetItem;

/** The name of the value that a `let (a, b) = …` takes apart. */
export function wholeName(names: readonly ItemName[]): string {
  return `(${names.map(({ name }) => name.name).join(', ')})`;
}

/** The equations behind one name of a `let (a, b) = …`: that of the whole value, and that of the name. */
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

/** Whether an equation has a name that source can mention. */
export function isWritten(name: string): boolean {
  return !name.startsWith('(');
}

/** A part, declared or replaced. */
export interface FromField extends From<ModelField> {
  /** What the model that wrote it extends. */
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
  /** Place of that model in the chain: the nearest has the greatest. */
  readonly nearness: number;
}

/** A variant with its bases merged: what `crobc expand` would print. */
export interface FlatModel {
  readonly name: string;
  readonly decl: ModelDecl;
  readonly file: FileScope;
  readonly docs: readonly string[];
  /** Its own place in its chain, the greatest. */
  readonly nearness: number;
  readonly params: Map<string, From<Param>>;
  /** What a slot or parameter was replaced by. */
  readonly values: Map<string, FromValue>;
  readonly fields: Map<string, FromField>;
  readonly inputs: Map<string, From<InputMember>>;
  readonly lets: Map<string, From<Equation>>;
  readonly outputs: Map<string, From<OutputMember>>;
  readonly where: From<Expr>[];
  readonly overrides: DeepOverride[];
  /** Overrides of the inside of what a nearer model gave anew, which its right side still sees. */
  readonly superseded: DeepOverride[];
  readonly removed: Map<string, Span>;
}
