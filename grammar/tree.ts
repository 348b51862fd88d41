import type { Span } from './span.ts';

/** The syntax tree of a `.crob` file: plain data, every node with its source span. */

export interface Ident {
  readonly kind: 'ident';
  readonly name: string;
  readonly span: Span;
}

// ---------------------------------------------------------------- expressions

export type BinaryOp = '+' | '-' | '*' | '/' | '%' | '^' | '==' | '!=' | '<' | '<=' | '>' | '>=' | '&&' | '||';

export type Expr =
  | IntLiteral
  | FloatLiteral
  | FactorLiteral
  | StringLiteral
  | BoolLiteral
  | NoneLiteral
  | NameExpr
  | ListExpr
  | ComprehensionExpr
  | TupleExpr
  | CallExpr
  | MemberExpr
  | IndexExpr
  | UnaryExpr
  | BinaryExpr
  | RangeExpr
  | IfExpr
  | CastExpr
  | TensorExpr;

export interface IntLiteral {
  readonly kind: 'int';
  readonly value: number;
  readonly span: Span;
}
/** `text` is the original spelling, for the formatter. */
export interface FloatLiteral {
  readonly kind: 'float';
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}
/** `0.1x`: a factor of the inherited value; only in recipes. */
export interface FactorLiteral {
  readonly kind: 'factor';
  readonly value: number;
  readonly text: string;
  readonly span: Span;
}
/** `value` has its escapes resolved. */
export interface StringLiteral {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
}
export interface BoolLiteral {
  readonly kind: 'bool';
  readonly value: boolean;
  readonly span: Span;
}
export interface NoneLiteral {
  readonly kind: 'none';
  readonly span: Span;
}
export interface NameExpr {
  readonly kind: 'name';
  readonly name: string;
  readonly span: Span;
}
/** `[a, b]`; `round` if written `(a, b)`, as pairs of padding amounts are. */
export interface ListExpr {
  readonly kind: 'list';
  readonly items: readonly Expr[];
  readonly round?: true;
  readonly span: Span;
}
/** `[element for item in iterable if condition]`; with two names, `for index, item in iterable`. */
export interface ComprehensionExpr {
  readonly kind: 'comprehension';
  readonly element: Expr;
  readonly clauses: readonly ForClause[];
  readonly condition: Expr | undefined;
  readonly span: Span;
}
export interface ForClause {
  readonly index: Ident | undefined;
  readonly item: Ident;
  readonly iterable: Expr;
}
/** `(a = x, b = y)`: a named tuple; only as the value of `return` or as the body of a function. */
export interface TupleExpr {
  readonly kind: 'tuple';
  readonly items: readonly { readonly name: Ident; readonly value: Expr }[];
  readonly span: Span;
}
export interface Arg {
  readonly name: Ident | undefined;
  readonly value: Expr;
}
export interface CallExpr {
  readonly kind: 'call';
  readonly callee: Expr;
  readonly args: readonly Arg[];
  readonly span: Span;
}
export interface MemberExpr {
  readonly kind: 'member';
  readonly object: Expr;
  readonly name: Ident;
  readonly span: Span;
}
export interface IndexExpr {
  readonly kind: 'index';
  readonly object: Expr;
  readonly items: readonly IndexItem[];
  readonly span: Span;
}
export type IndexItem =
  | { readonly kind: 'at'; readonly value: Expr; readonly span: Span }
  /** `a..b`, `a..`, `..b`: half open. */
  | { readonly kind: 'range'; readonly start: Expr | undefined; readonly stop: Expr | undefined; readonly span: Span }
  /** `:` */
  | { readonly kind: 'all'; readonly span: Span }
  /** `*`: every instance of a module list; only in override and recipe paths. */
  | { readonly kind: 'any'; readonly span: Span };
export interface UnaryExpr {
  readonly kind: 'unary';
  readonly op: '-' | '!';
  readonly operand: Expr;
  readonly span: Span;
}
export interface BinaryExpr {
  readonly kind: 'binary';
  readonly op: BinaryOp;
  readonly left: Expr;
  readonly right: Expr;
  readonly span: Span;
}
/** `start..stop`, half open; iterables only. */
export interface RangeExpr {
  readonly kind: 'range';
  readonly start: Expr;
  readonly stop: Expr;
  readonly span: Span;
}
/** `if c { … } else { … }` as a value; both blocks end in an expression. */
export interface IfExpr {
  readonly kind: 'if';
  readonly condition: Expr;
  readonly then: Block;
  readonly otherwise: Block;
  /** A part written as `e if c`: `then` is `e` alone, and `otherwise` is `none`. */
  readonly suffix?: true;
  readonly span: Span;
}
/** `x as f32[B, N, C]`. */
export interface CastExpr {
  readonly kind: 'cast';
  readonly operand: Expr;
  readonly type: Type;
  readonly span: Span;
}
/** `tensor f32[i in N, j in M] { … }`. */
export interface TensorExpr {
  readonly kind: 'tensor';
  readonly dtype: Ident;
  readonly indices: readonly { readonly name: Ident; readonly extent: Expr }[];
  readonly body: Block;
  readonly span: Span;
}

// ---------------------------------------------------------------- types

export type Type =
  | TensorType
  | PyramidType
  | SequenceType
  | NamedType
  | ListType
  | ChoiceType
  | AliasType
  | TupleType
  | TypeofType;

export type ShapeItem =
  | { readonly kind: 'dim'; readonly value: Expr; readonly span: Span }
  /** `...S`, or `...` unnamed. */
  | { readonly kind: 'spread'; readonly name: Ident | undefined; readonly span: Span };

/** `f32[B, C, H/4]`, `f32[]` for a scalar; `?` after it makes it optional. */
export interface TensorType {
  readonly kind: 'tensor-type';
  readonly dtype: Ident;
  readonly shape: readonly ShapeItem[];
  readonly optional: boolean;
  readonly span: Span;
}
/** `[T for i in 0..4]`. */
export interface PyramidType {
  readonly kind: 'pyramid-type';
  readonly element: Type;
  readonly index: Ident;
  readonly iterable: Expr;
  readonly optional: boolean;
  readonly span: Span;
}
/** `[T, T]`: a list of tensors written out. */
export interface SequenceType {
  readonly kind: 'sequence-type';
  readonly items: readonly Type[];
  readonly optional: boolean;
  readonly span: Span;
}
/**
 * `int`, `float`, `bool`, `string`, `dim`, `function`, or the name of a module, an interface or a type without parameters;
 * `int[4]` has `length`; `?` makes it optional (none).
 */
export interface NamedType {
  readonly kind: 'named-type';
  readonly name: Ident;
  readonly length: Expr | undefined;
  readonly optional: boolean;
  readonly span: Span;
}
/** `list[int]`. */
export interface ListType {
  readonly kind: 'list-type';
  readonly element: Type;
  readonly optional: boolean;
  readonly span: Span;
}
/** `"tokens" | "channels"`: a string that is one of these. */
export interface ChoiceType {
  readonly kind: 'choice-type';
  readonly choices: readonly [StringLiteral, ...StringLiteral[]];
  readonly optional: boolean;
  readonly span: Span;
}
/** `Pyramid(channels)`: a type that a `type` declaration names, with its arguments. */
export interface AliasType {
  readonly kind: 'alias-type';
  readonly name: Ident;
  readonly args: readonly Arg[];
  readonly optional: boolean;
  readonly span: Span;
}
/** `(a: T, b: U)`. */
export interface TupleType {
  readonly kind: 'tuple-type';
  readonly items: readonly { readonly name: Ident; readonly type: Type }[];
  readonly span: Span;
}
/** `typeof(v)`: the type of a parameter. */
export interface TypeofType {
  readonly kind: 'typeof-type';
  readonly name: Ident;
  readonly span: Span;
}

// ---------------------------------------------------------------- statements

/** Statements, and the value when the block is used as one. */
export interface Block {
  readonly statements: readonly Statement[];
  readonly value: Expr | undefined;
  readonly span: Span;
}

export type Statement =
  | LetStatement
  | LetItemsStatement
  | AssignStatement
  | UpdateStatement
  | IfStatement
  | ForStatement
  | ReturnStatement;

export interface LetStatement {
  readonly kind: 'let';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly value: Expr;
  readonly span: Span;
}
/** An item of a named tuple and the local name it is bound to: `words`, or `vision = v`. */
export interface ItemName {
  readonly item: Ident;
  /** The same node as `item` if there is no new name. */
  readonly name: Ident;
}
/** `let (vision = v, words) = …`: the items of a named tuple by name, those of a list by position. */
export interface LetItemsStatement {
  readonly kind: 'let-items';
  readonly docs: readonly string[];
  readonly names: readonly ItemName[];
  readonly value: Expr;
  readonly span: Span;
}
/** `x = …`, `x[i] = …`, `x += …`, `x -= …`, `x *= …`. */
export interface AssignStatement {
  readonly kind: 'assign';
  readonly target: Expr;
  readonly op: '=' | '+=' | '-=' | '*=';
  readonly value: Expr;
  readonly span: Span;
}
/** `running_mean <- e`. */
export interface UpdateStatement {
  readonly kind: 'update';
  readonly target: Ident;
  readonly value: Expr;
  readonly span: Span;
}
export interface IfStatement {
  readonly kind: 'if-statement';
  readonly condition: Expr;
  readonly then: readonly Statement[];
  readonly otherwise: readonly Statement[] | undefined;
  readonly span: Span;
}
export interface ForStatement {
  readonly kind: 'for';
  readonly clause: ForClause;
  readonly body: readonly Statement[];
  readonly span: Span;
}
export interface ReturnStatement {
  readonly kind: 'return';
  readonly value: Expr;
  readonly span: Span;
}

// ---------------------------------------------------------------- declarations

/** `@path("norm{i}")`, `@no_decay`, `@f32`. */
export interface Attribute {
  readonly name: Ident;
  readonly args: readonly Arg[];
  readonly span: Span;
}

/** A parameter, static or a tensor: `dim: int = 256`, `mask: bool[B, T]? = none`. */
export interface Param {
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly type: Type;
  readonly value: Expr | undefined;
  readonly span: Span;
}

export type Declaration =
  | ModuleDecl
  | InterfaceDecl
  | FnDecl
  | TypeDecl
  | ModelDecl
  | RecipeDecl
  | WeightsDecl
  | ExampleDecl;

interface DeclarationBase {
  /** Lines of the `///` comment above it, without the slashes and one leading space. */
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly name: Ident;
  readonly span: Span;
}

export interface ModuleDecl extends DeclarationBase {
  readonly kind: 'module';
  readonly params: readonly Param[];
  /** `module SwinB(…): VisualBackbone`: the interfaces it implements. */
  readonly implements: readonly Ident[];
  readonly where: readonly Expr[];
  readonly members: readonly ModuleMember[];
}
export interface InterfaceDecl extends DeclarationBase {
  readonly kind: 'interface';
  readonly params: readonly Param[];
  /** `interface VisualBackbone: ImageEncoder`: a module that implements this interface implements these as well. */
  readonly implements: readonly Ident[];
  readonly where: readonly Expr[];
  /** Fields and weights are not allowed here; the checker reports them. */
  readonly members: readonly ModuleMember[];
}
/**
 * `fn f(x: f32[...S]) -> f32[...S] = e`, or with a block. Without a result type, the function returns a static
 * value.
 */
export interface FnDecl extends DeclarationBase {
  readonly kind: 'fn';
  readonly params: readonly Param[];
  readonly result: Type | undefined;
  readonly where: readonly Expr[];
  readonly body: Block;
}
/** `type Pyramid(channels: int[4]) = [f32[B, channels[i], H, W] for i in 0..4]`. */
export interface TypeDecl extends DeclarationBase {
  readonly kind: 'type';
  readonly params: readonly Param[];
  readonly type: Type;
}
export interface ModelDecl extends DeclarationBase {
  readonly kind: 'model';
  readonly params: readonly Param[];
  readonly base: Ident | undefined;
  readonly where: readonly Expr[];
  readonly members: readonly ModelMember[];
}
/** `recipe paper for CroBIM at B = 32, H = 480 extends other { … }`. */
export interface RecipeDecl extends DeclarationBase {
  readonly kind: 'recipe';
  readonly model: Ident | undefined;
  readonly base: Ident | undefined;
  readonly bindings: readonly { readonly name: Ident; readonly value: Expr }[];
  readonly members: readonly RecipeMember[];
}
/** `weights microsoft for SwinB { "a.{i}.b" -> "c.{i}.d" ; … }`; both sides are expressions over name patterns. */
export interface WeightsDecl extends DeclarationBase {
  readonly kind: 'weights';
  readonly target: Ident;
  readonly rules: readonly { readonly from: Expr; readonly to: Expr; readonly span: Span }[];
}
/** `example Linear(3, 4)`; its `name` is the name of the constructed module. */
export interface ExampleDecl extends DeclarationBase {
  readonly kind: 'example';
  readonly value: Expr;
}

export type ModuleMember =
  | WeightMember
  | BufferMember
  | StaticMember
  | FieldMember
  | MethodMember
  | ImplementationMember;

/** `param weight: f32[out, in] ~ trunc_normal(std = 0.02)`. */
export interface WeightMember {
  readonly kind: 'param';
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly name: Ident;
  readonly type: TensorType;
  readonly init: Expr | undefined;
  readonly span: Span;
}
/** `buffer running_mean: f32[channels] = zeros`. */
export interface BufferMember {
  readonly kind: 'buffer';
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly name: Ident;
  readonly type: TensorType;
  readonly value: Expr;
  readonly span: Span;
}
/** `static on = [s - 1 for s in stages]`; without a value in an interface. */
export interface StaticMember {
  readonly kind: 'static';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly type: Type | undefined;
  readonly value: Expr | undefined;
  readonly span: Span;
}
/** `norm1 = LayerNorm(dim)`: a submodule or a list of them. */
export interface FieldMember {
  readonly kind: 'field';
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly name: Ident;
  readonly value: Expr;
  readonly span: Span;
}
/** `forward(…) -> T where … { … }`, `method stage(…) -> T`; only an interface may leave out the body. */
export interface MethodMember {
  readonly kind: 'method';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly params: readonly Param[];
  readonly result: Type | undefined;
  readonly where: readonly Expr[];
  readonly body: Block | undefined;
  readonly span: Span;
}

/** `forward { … }`, `method stage { … }`: a method whose signature is the one in the module's interface. */
export interface ImplementationMember {
  readonly kind: 'implementation';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly body: Block;
  readonly span: Span;
}

export type ModelMember = ModelField | InputMember | ModelLet | ModelLetItems | OutputMember | WithoutMember;

export type PathStep =
  | { readonly kind: 'name'; readonly name: Ident }
  | { readonly kind: 'at'; readonly value: Expr; readonly span: Span }
  | { readonly kind: 'any'; readonly span: Span };
/** `capm.scales`, `backbone.layers[2].blocks[*].window`. */
export interface Path {
  readonly steps: readonly PathStep[];
  readonly span: Span;
}

/** `capm = CAPM(…)`, or an override `capm.scales = [1, 2, 3]`. */
export interface ModelField {
  readonly kind: 'model-field';
  readonly docs: readonly string[];
  readonly attributes: readonly Attribute[];
  readonly path: Path;
  readonly value: Expr;
  readonly span: Span;
}
export interface InputMember {
  readonly kind: 'input';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly type: Type;
  readonly span: Span;
}
export interface ModelLet {
  readonly kind: 'model-let';
  readonly docs: readonly string[];
  readonly name: Ident;
  readonly value: Expr;
  readonly span: Span;
}
/** `let (vision = v, words) = …`. */
export interface ModelLetItems {
  readonly kind: 'model-let-items';
  readonly docs: readonly string[];
  readonly names: readonly ItemName[];
  readonly value: Expr;
  readonly span: Span;
}
/**
 * `output logits: T = e`; `output(train) scores = e` has `stage`. Without a value, the output is the `let` of the
 * same name.
 */
export interface OutputMember {
  readonly kind: 'output';
  readonly docs: readonly string[];
  readonly stage: Ident | undefined;
  readonly name: Ident;
  readonly type: Type | undefined;
  readonly value: Expr | undefined;
  readonly span: Span;
}
/** `without capm`. */
export interface WithoutMember {
  readonly kind: 'without';
  readonly path: Path;
  readonly span: Span;
}

export type RecipeMember =
  | InputMember
  | ModelLet
  | ModelLetItems
  /** `without boundary`: removes a term, `let` or input of the base recipe. */
  | { readonly kind: 'without'; readonly name: Ident; readonly span: Span }
  | {
      readonly kind: 'term';
      readonly docs: readonly string[];
      readonly name: Ident;
      readonly value: Expr;
      readonly span: Span;
    }
  /** `epochs = 40`, `optimizer = AdamW(…)`, `schedule = warmup(1500) then poly(0.9)` (`value` has one entry a part). */
  | {
      readonly kind: 'setting';
      readonly docs: readonly string[];
      readonly name: Ident;
      readonly value: readonly Expr[];
      readonly span: Span;
    }
  /** `group backbone.* { lr = 0.1x }`. */
  | {
      readonly kind: 'group';
      readonly path: Path;
      readonly settings: readonly { readonly name: Ident; readonly value: Expr }[];
      readonly span: Span;
    }
  /** `fix backbone.*`, `eval backbone.*`. */
  | { readonly kind: 'freeze'; readonly mode: 'fix' | 'eval'; readonly path: Path; readonly span: Span }
  /** `train only mid.*, lgfa.*`, `train all except text.*`. */
  | {
      readonly kind: 'train';
      readonly mode: 'only' | 'except';
      readonly paths: readonly Path[];
      readonly span: Span;
    }
  /** `init backbone.* from "file" via microsoft except backbone.norms.*`. */
  | {
      readonly kind: 'init';
      readonly path: Path;
      readonly from: Expr;
      readonly via: Ident | undefined;
      readonly except: readonly Path[];
      readonly span: Span;
    }
  /** `start from pretrain`: starts from the trained weights of another recipe. */
  | { readonly kind: 'start'; readonly recipe: Ident; readonly span: Span };

/** `use std.nn.{Linear, LayerNorm as Norm}`; the last name of the path is a file. */
export interface UseDecl {
  readonly kind: 'use';
  readonly path: readonly Ident[];
  readonly names: readonly { readonly name: Ident; readonly alias: Ident | undefined }[];
  readonly span: Span;
}

/** A `//` comment, for the formatter. `ownLine` is whether only white space precedes it on its line. */
export interface Comment {
  readonly text: string;
  readonly ownLine: boolean;
  readonly span: Span;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
  /** The leading `///` lines, before the first `use` or a blank line: they document the file. */
  readonly docs: readonly string[];
  readonly uses: readonly UseDecl[];
  readonly declarations: readonly Declaration[];
  readonly comments: readonly Comment[];
  /** The parts of the text whose intended meaning is uncertain because of a fault. */
  readonly unread: readonly Unread[];
}

/**
 * A declaration, member or statement with a fault, from its first token on: messages about it may be consequences of
 * the fault.
 */
export interface Unread {
  readonly span: Span;
  /**
   * `header`: everything before the body, which was parsed; `whole`: all of it. Items that could not be parsed are
   * not part of the tree.
   */
  readonly part: 'header' | 'whole';
}

/** A syntax error. `code` is a key of the syntax part of the message catalogue. */
export interface SyntaxFault {
  readonly code: string;
  readonly span: Span;
  /** A second place: where the missing closing bracket should be, or the other half of a pair. */
  readonly also?: Span;
  readonly args: Readonly<Record<string, string>>;
}

export interface ParseResult {
  readonly tree: SourceFile;
  readonly faults: readonly SyntaxFault[];
}
