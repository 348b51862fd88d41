import fc from 'fast-check';
import type { Span } from '../../grammar/span.ts';
import type {
  Arg,
  Attribute,
  BinaryOp,
  Block,
  Declaration,
  Expr,
  ForClause,
  Ident,
  IndexItem,
  ItemName,
  ModelMember,
  ModuleMember,
  Param,
  Path,
  PathStep,
  RecipeMember,
  ShapeItem,
  SourceFile,
  Statement,
  StringLiteral,
  TensorType,
  Type,
  UseDecl,
} from '../../grammar/tree.ts';

/** Random syntax trees, without places: what the parser can yield, and nothing else. */

const span: Span = { file: 'x.crob', start: 0, end: 0 };

/** Words that are keywords somewhere, and names elsewhere. */
const softWords = [
  'model',
  'input',
  'at',
  'tensor',
  'list',
  'init',
  'from',
  'group',
  'use',
  'param',
  'method',
  'start',
  'train',
  'only',
  'all',
  'except',
];
const lower = fc.constantFrom('x', 'y', 'window', 'max_pool', 'a1', ...softWords);
const upper = fc.constantFrom('B', 'H', 'SwinB', 'T');
const name: fc.Arbitrary<string> = fc.oneof({ weight: 3, arbitrary: lower }, upper);
const ident: fc.Arbitrary<Ident> = name.map((text) => ({ kind: 'ident', name: text, span }));
const dtype: fc.Arbitrary<Ident> = fc
  .constantFrom('f32', 'i32', 'bool', 'i64')
  .map((text) => ({ kind: 'ident', name: text, span }));
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined, freq: 2 });
const few = <T>(of: fc.Arbitrary<T>, minLength = 0) => fc.array(of, { minLength, maxLength: 3 });
const doc = fc.constantFrom(
  'Width.',
  '',
  '  indented',
  '/ slash',
  '`code` // not a comment',
  'A long line of documentation that goes on for more than a hundred columns, which the formatter leaves alone.',
);
const docs = fc.oneof({ weight: 4, arbitrary: fc.constant<string[]>([]) }, few(doc, 1));
const text = fc.oneof(
  fc.constantFrom('b (m p) -> b m p', 'norm{i}', ''),
  fc.string({ maxLength: 6 }).filter((s) => !/[\r\n]/.test(s)),
  fc.constantFrom('a\nb', '\t"\\'),
);

const operators: BinaryOp[] = ['+', '-', '*', '/', '%', '^', '==', '!=', '<', '<=', '>', '>=', '&&', '||'];

/** `x`, or `x = y`. */
const itemName: fc.Arbitrary<ItemName> = fc
  .tuple(ident, maybe(ident))
  .map(([item, other]) => ({ item, name: other ?? item }));

type Tied = {
  expr: Expr;
  block: Block;
  valued: Block;
  statement: Statement;
  type: Type;
};

const tied = fc.letrec<Tied>((tie) => {
  const expr = tie('expr');
  const arg: fc.Arbitrary<Arg> = fc.record({ name: maybe(ident), value: expr });
  const args = few(arg).map((items) =>
    [...items].sort((a, b) => Number(a.name !== undefined) - Number(b.name !== undefined)),
  );
  const float = fc.constantFrom('1.0', '0.5', '1e-5', '2.5e3', '1e9');
  const leaf: fc.Arbitrary<Expr> = fc.oneof(
    name.map((n): Expr => ({ kind: 'name', name: n, span })),
    fc.nat({ max: 40 }).map((value): Expr => ({ kind: 'int', value, span })),
    float.map((t): Expr => ({ kind: 'float', value: Number(t), text: t, span })),
    text.map((value): Expr => ({ kind: 'string', value, span })),
    fc.boolean().map((value): Expr => ({ kind: 'bool', value, span })),
    fc.constant<Expr>({ kind: 'none', span }),
  );
  const iterable: fc.Arbitrary<Expr> = fc.oneof(
    expr,
    fc.record({ kind: fc.constant('range' as const), start: expr, stop: expr, span: fc.constant(span) }),
  );
  const clause: fc.Arbitrary<ForClause> = fc.record({ index: maybe(ident), item: ident, iterable });
  const index: fc.Arbitrary<IndexItem> = fc.oneof(
    expr.map((value): IndexItem => ({ kind: 'at', value, span })),
    fc.tuple(maybe(expr), maybe(expr)).map(([start, stop]): IndexItem => ({ kind: 'range', start, stop, span })),
    fc.constant<IndexItem>({ kind: 'all', span }),
    fc.constant<IndexItem>({ kind: 'any', span }),
  );
  const ifExpr: fc.Arbitrary<Expr> = fc
    .record({ condition: expr, yes: tie('block'), no: fc.oneof(tie('block'), tie('valued')) })
    .map(({ condition, yes, no }) => ({ kind: 'if', condition, then: yes, otherwise: no, span }));
  const dim: fc.Arbitrary<ShapeItem> = fc.oneof(
    { weight: 4, arbitrary: expr.map((value): ShapeItem => ({ kind: 'dim', value, span })) },
    maybe(ident).map((n): ShapeItem => ({ kind: 'spread', name: n, span })),
  );
  return {
    expr: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 3, arbitrary: leaf },
      {
        weight: 4,
        arbitrary: fc
          .tuple(fc.constantFrom(...operators), expr, expr)
          .map(([op, left, right]): Expr => ({ kind: 'binary', op, left, right, span })),
      },
      fc
        .tuple(fc.constantFrom('-' as const, '!' as const), expr)
        .map(([op, operand]): Expr => ({ kind: 'unary', op, operand, span })),
      fc.tuple(expr, args).map(([callee, given]): Expr => ({ kind: 'call', callee, args: given, span })),
      fc.tuple(expr, ident).map(([object, n]): Expr => ({ kind: 'member', object, name: n, span })),
      fc.tuple(expr, few(index, 1)).map(([object, items]): Expr => ({ kind: 'index', object, items, span })),
      few(expr).map((items): Expr => ({ kind: 'list', items, span })),
      few(expr, 1).map((items): Expr => ({ kind: 'list', items, round: true, span })),
      fc
        .tuple(expr, few(clause, 1), maybe(expr))
        .map(([element, clauses, condition]): Expr => ({ kind: 'comprehension', element, clauses, condition, span })),
      few(fc.record({ name: ident, value: expr }), 1).map((items): Expr => ({ kind: 'tuple', items, span })),
      ifExpr,
      fc.tuple(expr, tie('type')).map(([operand, type]): Expr => ({ kind: 'cast', operand, type, span })),
      fc
        .tuple(dtype, few(fc.record({ name: ident, extent: expr })), tie('valued'))
        .map(([of, indices, body]): Expr => ({ kind: 'tensor', dtype: of, indices, body, span })),
    ),
    statement: fc.oneof(
      { maxDepth: 2 },
      fc.tuple(docs, ident, expr).map(([d, n, value]): Statement => ({ kind: 'let', docs: d, name: n, value, span })),
      fc
        .tuple(docs, few(itemName, 1), expr)
        .map(([d, names, value]): Statement => ({ kind: 'let-items', docs: d, names, value, span })),
      expr.map((value): Statement => ({ kind: 'return', value, span })),
      fc
        .tuple(name, few(expr), fc.constantFrom('=' as const, '+=' as const, '-=' as const, '*=' as const), expr)
        .map(([n, at, op, value]): Statement => {
          const target = at.reduce<Expr>(
            (object, i) => ({ kind: 'index', object, items: [{ kind: 'at', value: i, span }], span }),
            { kind: 'name', name: n, span },
          );
          return { kind: 'assign', target, op, value, span };
        }),
      fc.tuple(ident, expr).map(([target, value]): Statement => ({ kind: 'update', target, value, span })),
      fc.tuple(clause, few(tie('statement'))).map(([c, body]): Statement => ({ kind: 'for', clause: c, body, span })),
      fc
        .record({ condition: expr, yes: few(tie('statement')), no: maybe(few(tie('statement'))) })
        .map(
          ({ condition, yes, no }): Statement => ({ kind: 'if-statement', condition, then: yes, otherwise: no, span }),
        ),
    ),
    block: fc.tuple(few(tie('statement')), maybe(expr)).map(([statements, value]) => ({ statements, value, span })),
    valued: expr.map((value) => ({ statements: [], value, span })),
    type: fc.oneof(
      { maxDepth: 2 },
      fc
        .tuple(dtype, few(dim), fc.boolean())
        .map(([of, shape, optional]): Type => ({ kind: 'tensor-type', dtype: of, shape, optional, span })),
      fc.tuple(fc.constantFrom('int', 'float', 'SwinB', 'dim'), maybe(expr), fc.boolean()).map(
        ([n, length, optional]): Type => ({
          kind: 'named-type',
          name: { kind: 'ident', name: n, span },
          length,
          optional,
          span,
        }),
      ),
      fc
        .tuple(tie('type'), fc.boolean())
        .map(([element, optional]): Type => ({ kind: 'list-type', element, optional, span })),
      fc
        .tuple(
          few(
            text.map((value): StringLiteral => ({ kind: 'string', value, span })),
            1,
          ),
          fc.boolean(),
        )
        .map(
          ([[first, ...rest], optional]): Type => ({ kind: 'choice-type', choices: [first!, ...rest], optional, span }),
        ),
      fc
        .tuple(
          ident.filter(({ name: n }) => n !== 'typeof'),
          args,
          fc.boolean(),
        )
        .map(([n, given, optional]): Type => ({ kind: 'alias-type', name: n, args: given, optional, span })),
      fc.tuple(tie('type'), ident, iterable, fc.boolean()).map(
        ([element, i, over, optional]): Type => ({
          kind: 'pyramid-type',
          element,
          index: i,
          iterable: over,
          optional,
          span,
        }),
      ),
      fc
        .tuple(few(tie('type'), 1), fc.boolean())
        .map(([items, optional]): Type => ({ kind: 'sequence-type', items, optional, span })),
      few(fc.record({ name: ident, type: tie('type') })).map((items): Type => ({ kind: 'tuple-type', items, span })),
      ident.map((n): Type => ({ kind: 'typeof-type', name: n, span })),
    ),
  };
});

export const expr = tied.expr;
const { type, block } = tied;
const tensorType: fc.Arbitrary<TensorType> = fc.tuple(dtype, few(expr)).map(([of, dims]) => ({
  kind: 'tensor-type',
  dtype: of,
  shape: dims.map((value) => ({ kind: 'dim', value, span })),
  optional: false,
  span,
}));
const attribute: fc.Arbitrary<Attribute> = fc
  .tuple(ident, few(expr))
  .map(([n, values]) => ({ name: n, args: values.map((value) => ({ name: undefined, value })), span }));
const attributes = fc.oneof({ weight: 3, arbitrary: fc.constant<Attribute[]>([]) }, few(attribute));
const param: fc.Arbitrary<Param> = fc.record({ docs, name: ident, type, value: maybe(expr), span: fc.constant(span) });
const factor = fc
  .constantFrom('0.1x', '2x')
  .map((t): Expr => ({ kind: 'factor', value: Number(t.slice(0, -1)), text: t, span }));
const settingValue = fc.oneof({ weight: 4, arbitrary: expr }, factor);
const setting = fc.record({ name: ident, value: settingValue });
/** An expression, or `e if c`. */
const part: fc.Arbitrary<Expr> = fc.oneof(
  { weight: 3, arbitrary: expr },
  fc.tuple(expr, expr).map(
    ([value, condition]): Expr => ({
      kind: 'if',
      condition,
      then: { statements: [], value, span },
      otherwise: { statements: [], value: { kind: 'none', span }, span },
      suffix: true,
      span,
    }),
  ),
);

const step: fc.Arbitrary<PathStep> = fc.oneof(
  ident.map((n): PathStep => ({ kind: 'name', name: n })),
  expr.map((value): PathStep => ({ kind: 'at', value, span })),
  fc.constant<PathStep>({ kind: 'any', span }),
);
const path: fc.Arbitrary<Path> = fc
  .tuple(ident, few(step))
  .map(([n, steps]) => ({ steps: [{ kind: 'name', name: n }, ...steps], span }));

const moduleMember: fc.Arbitrary<ModuleMember> = fc.oneof(
  fc
    .record({ docs, attributes, name: ident, type: tensorType, init: maybe(expr) })
    .map((of): ModuleMember => ({ kind: 'param', ...of, span })),
  fc
    .record({ docs, attributes, name: ident, type: tensorType, value: expr })
    .map((of): ModuleMember => ({ kind: 'buffer', ...of, span })),
  fc
    .record({ docs, name: ident, type: maybe(type), value: maybe(expr) })
    .map((of): ModuleMember => ({ kind: 'static', ...of, span })),
  fc.record({ docs, attributes, name: ident, value: part }).map((of): ModuleMember => ({ kind: 'field', ...of, span })),
  fc
    .record({ docs, name: fc.oneof(ident, fc.constant<Ident>({ kind: 'ident', name: 'forward', span })), body: block })
    .map((of): ModuleMember => ({ kind: 'implementation', ...of, span })),
  fc
    .record({
      docs,
      name: fc.oneof(ident, fc.constant<Ident>({ kind: 'ident', name: 'forward', span })),
      params: few(param),
      result: maybe(type),
      where: few(expr),
      body: maybe(block),
    })
    .map((of): ModuleMember => ({ kind: 'method', ...of, span })),
);

const input = fc.record({ docs, name: ident, type }).map((of) => ({ kind: 'input' as const, ...of, span }));
const modelLet = fc
  .record({ docs, name: ident, value: expr })
  .map((of) => ({ kind: 'model-let' as const, ...of, span }));

const modelMember: fc.Arbitrary<ModelMember> = fc.oneof<fc.Arbitrary<ModelMember>[]>(
  fc.record({ docs, attributes, path, value: part }).map((of) => ({ kind: 'model-field', ...of, span })),
  fc.record({ docs, names: few(itemName, 1), value: expr }).map((of) => ({ kind: 'model-let-items', ...of, span })),
  input,
  modelLet,
  fc
    .record({ docs, stage: maybe(ident), name: ident, type: maybe(type), value: maybe(expr) })
    .map((of) => ({ kind: 'output', ...of, span })),
  path.map((of) => ({ kind: 'without', path: of, span })),
);

const recipeMember: fc.Arbitrary<RecipeMember> = fc.oneof<fc.Arbitrary<RecipeMember>[]>(
  input,
  modelLet,
  fc.record({ docs, name: ident, value: expr }).map((of) => ({ kind: 'term', ...of, span })),
  fc.record({ docs, name: ident, value: few(settingValue, 1) }).map((of) => ({ kind: 'setting', ...of, span })),
  fc.record({ path, settings: few(setting) }).map((of) => ({ kind: 'group', ...of, span })),
  fc
    .record({ mode: fc.constantFrom('fix' as const, 'eval' as const), path })
    .map((of) => ({ kind: 'freeze', ...of, span })),
  fc.record({ path, from: expr, via: maybe(ident), except: few(path) }).map((of) => ({ kind: 'init', ...of, span })),
  fc
    .record({ mode: fc.constantFrom('only' as const, 'except' as const), paths: few(path, 1) })
    .map((of) => ({ kind: 'train', ...of, span })),
  ident.map((recipe) => ({ kind: 'start', recipe, span })),
);

const base = { docs, attributes, name: ident, span: fc.constant(span) };
const declaration: fc.Arbitrary<Declaration> = fc.oneof<fc.Arbitrary<Declaration>[]>(
  fc.record({
    kind: fc.constant('module'),
    ...base,
    params: few(param),
    implements: few(ident),
    where: few(expr),
    members: few(moduleMember),
  }),
  fc.record({
    kind: fc.constant('interface'),
    ...base,
    params: few(param),
    implements: few(ident),
    where: few(expr),
    members: few(moduleMember),
  }),
  fc.record({
    kind: fc.constant('fn'),
    ...base,
    params: few(param),
    result: maybe(type),
    where: few(expr),
    body: block,
  }),
  fc.record({ kind: fc.constant('type'), ...base, params: few(param), type }),
  fc.record({
    kind: fc.constant('model'),
    ...base,
    params: few(param),
    base: maybe(ident),
    where: few(expr),
    members: few(modelMember),
  }),
  fc.record({
    kind: fc.constant('recipe'),
    ...base,
    model: maybe(ident),
    base: maybe(ident),
    bindings: few(setting),
    members: few(recipeMember),
  }),
  fc.record({
    kind: fc.constant('weights'),
    ...base,
    target: ident,
    rules: few(fc.record({ from: expr, to: expr, span: fc.constant(span) })),
  }),
  fc.record({ docs, attributes, name, args: few(expr) }).map(({ docs: d, attributes: a, name: n, args: given }) => ({
    kind: 'example',
    docs: d,
    attributes: a,
    name: { kind: 'ident', name: n, span },
    value: {
      kind: 'call',
      callee: { kind: 'name', name: n, span },
      args: given.map((value) => ({ name: undefined, value })),
      span,
    },
    span,
  })),
);

const use: fc.Arbitrary<UseDecl> = fc.record({
  kind: fc.constant('use'),
  path: few(ident, 1),
  names: few(fc.record({ name: ident, alias: maybe(ident) }), 1),
  span: fc.constant(span),
});

export const sourceFile: fc.Arbitrary<SourceFile> = fc.record({
  file: fc.constant('x.crob'),
  text: fc.constant(''),
  docs,
  uses: few(use),
  declarations: few(declaration),
  comments: fc.constant([]),
  unread: fc.constant([]),
});

/** A tree without places and text, for comparison. */
export function bare(tree: SourceFile): unknown {
  const { docs: fileDocs, uses, declarations } = tree;
  return JSON.parse(
    JSON.stringify({ fileDocs, uses, declarations }, (key, value) => (key === 'span' ? undefined : value)),
  );
}
