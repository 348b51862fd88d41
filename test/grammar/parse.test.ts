import { describe, expect, test } from 'vitest';
import { parse } from '../../grammar/parse.ts';
import { Parser } from '../../grammar/parser.ts';
import type { Declaration, Expr, FnDecl, ModuleDecl, Statement } from '../../grammar/tree.ts';
import { snippets } from './snippets/read.ts';

test('the grammar has no ambiguity that chevrotain can find', () => {
  expect(() => new Parser(false)).not.toThrow();
});

describe('snippets', () => {
  test.each(snippets)('%s', (file, text) => {
    const { tree, faults } = parse(file, text);
    expect(faults).toEqual([]);
    expect(tree.declarations.length).toBeGreaterThan(0);
  });
});

function clean(text: string): readonly Declaration[] {
  const { tree, faults } = parse('x.crob', text);
  expect(faults).toEqual([]);
  return tree.declarations;
}

const body = (text: string): FnDecl['body'] => (clean(`fn f() {\n${text}\n}`)[0] as FnDecl).body;
const value = (text: string): Expr => (clean(`fn f() = ${text}`)[0] as FnDecl).body.value!;

/** An expression with all its parentheses. */
function full(expr: Expr): string {
  switch (expr.kind) {
    case 'name':
      return expr.name;
    case 'int':
      return String(expr.value);
    case 'unary':
      return `(${expr.op}${full(expr.operand)})`;
    case 'binary':
      return `(${full(expr.left)} ${expr.op} ${full(expr.right)})`;
    case 'cast':
      return `(${full(expr.operand)} as ${expr.type.kind})`;
    case 'call':
      return `${full(expr.callee)}(${expr.args.map((arg) => full(arg.value)).join(', ')})`;
    case 'member':
      return `${full(expr.object)}.${expr.name.name}`;
    case 'index':
      return `${full(expr.object)}[${expr.items.map((item) => (item.kind === 'at' ? full(item.value) : item.kind)).join(', ')}]`;
    default:
      return expr.kind;
  }
}

test.each([
  ['a + b * c', '(a + (b * c))'],
  ['a - b - c', '((a - b) - c)'],
  ['a / b * c', '((a / b) * c)'],
  ['2^3^4', '(2 ^ (3 ^ 4))'],
  ['-x^2', '(-(x ^ 2))'],
  ['2^-n', '(2 ^ (-n))'],
  ['-H % w', '((-H) % w)'],
  ['H/2^(i+2)', '(H / (2 ^ (i + 2)))'],
  ['a || b && c == d', '(a || (b && (c == d)))'],
  ['!a == b', '((!a) == b)'],
  ['a + b as f32[B] < c', '(((a + b) as tensor-type) < c)'],
  ['f(x)[0].y(1)', 'f(x)[0].y(1)'],
  ['x[:, 0..H, 1.., ..2, *, i]', 'x[all, range, range, range, any, i]'],
  ['(a + b) * c', '((a + b) * c)'],
  ['a <\nb', '(a < b)'],
])('%s', (text, expected) => {
  expect(full(value(text))).toBe(expected);
});

test('numbers', () => {
  expect(value('x[0..4]')).toMatchObject({
    items: [{ kind: 'range', start: { kind: 'int', value: 0 }, stop: { kind: 'int', value: 4 } }],
  });
  expect(value('1e-5')).toMatchObject({ kind: 'float', value: 1e-5, text: '1e-5' });
  expect(value('2.50')).toMatchObject({ kind: 'float', value: 2.5, text: '2.50' });
  expect(clean('recipe r for M { lr = 0.1x }')).toMatchObject([
    { members: [{ value: [{ kind: 'factor', value: 0.1, text: '0.1x' }] }] },
  ]);
});

describe('what models need', () => {
  const member = (text: string) => (clean(`module A() {\n${text}\n}`)[0] as ModuleDecl).members[0];

  test('a let takes a tuple or a list apart', () => {
    expect(body('let (vision = v, words) = f(x)\nv').statements).toMatchObject([
      {
        kind: 'let-items',
        names: [
          { item: { name: 'vision' }, name: { name: 'v' } },
          { item: { name: 'words' }, name: { name: 'words' } },
        ],
        value: { kind: 'call' },
      },
    ]);
    expect(clean('model M { let (\n  a,\n  b,\n) = f(x) }')).toMatchObject([
      { members: [{ kind: 'model-let-items', names: [{ name: { name: 'a' } }, { name: { name: 'b' } }] }] },
    ]);
  });

  test('a method without a signature has its interface’s', () => {
    expect(member('forward { return x }')).toMatchObject({ kind: 'implementation', name: { name: 'forward' } });
    expect(member('method f\n{ return x }')).toMatchObject({ kind: 'implementation', name: { name: 'f' } });
    expect(member('forward() { return x }')).toMatchObject({ kind: 'method' });
  });

  test('a part with a condition is an if whose other way is none', () => {
    expect(member('norm = A(d) if c && d')).toMatchObject({
      value: {
        kind: 'if',
        suffix: true,
        condition: { op: '&&' },
        then: { statements: [], value: { kind: 'call' } },
        otherwise: { statements: [], value: { kind: 'none' } },
      },
    });
    expect(clean('model M extends N { a.norm = A(3) if c; b = 1 }')).toMatchObject([
      { members: [{ path: {}, value: { suffix: true } }, { value: { kind: 'int' } }] },
    ]);
  });

  const type = (text: string) => (clean(`fn f(x: ${text}) = x`)[0] as FnDecl).params[0]!.type;

  test.each([
    ['int[4]?', { kind: 'named-type', optional: true }],
    ['list[int]?', { kind: 'list-type', optional: true, element: { optional: false } }],
    ['list[int?]', { kind: 'list-type', optional: false, element: { optional: true } }],
    ['function?', { kind: 'named-type', optional: true }],
    ['f32[B]?', { kind: 'tensor-type', optional: true }],
    ['[f32[B, i] for i in 0..4]?', { kind: 'pyramid-type', optional: true }],
    ['[f32[B], f32[C]]?', { kind: 'sequence-type', optional: true }],
    ['"a" | "b"', { kind: 'choice-type', optional: false, choices: [{ value: 'a' }, { value: 'b' }] }],
    ['"a"?', { kind: 'choice-type', optional: true, choices: [{ value: 'a' }] }],
    ['Pyramid(channels, 2)?', { kind: 'alias-type', optional: true, name: { name: 'Pyramid' }, args: [{}, {}] }],
  ])('%s', (text, expected) => {
    expect(type(text)).toMatchObject(expected);
  });

  test('types have names', () => {
    expect(clean('type P(c: int[4]) = [f32[B, c[i]] for i in 0..4]\ntype Mode =\n  "a" |\n  "b"\n')).toMatchObject([
      { kind: 'type', name: { name: 'P' }, params: [{ name: { name: 'c' } }], type: { kind: 'pyramid-type' } },
      { kind: 'type', name: { name: 'Mode' }, params: [], type: { kind: 'choice-type' } },
    ]);
  });
});

test('strings resolve their escapes', () => {
  expect(value('"a\\n\\t\\"\\\\ {i}"')).toMatchObject({ value: 'a\n\t"\\ {i}' });
});

test('a pair, a named tuple and parentheses', () => {
  expect(value('(0, 1)')).toMatchObject({ kind: 'list', round: true, items: [{ value: 0 }, { value: 1 }] });
  expect(value('(a = 0, b = 1)')).toMatchObject({
    kind: 'tuple',
    items: [{ name: { name: 'a' } }, { name: { name: 'b' } }],
  });
  expect(value('(0)')).toMatchObject({ kind: 'int' });
  expect(value('[0]')).not.toHaveProperty('round');
});

describe('the line rule', () => {
  const kinds = (text: string) => {
    const { statements, value: last } = body(text);
    return [...statements.map((statement: Statement) => statement.kind), ...(last ? [`value ${full(last)}`] : [])];
  };

  test.each([
    [
      'newlines and semicolons end statements',
      'let a = b\nlet c = d; let e = f;\n\n;a',
      ['let', 'let', 'let', 'value a'],
    ],
    ['not behind an operator or comma', 'let a =\n  b +\n  c\nf(a,\nb)', ['let', 'value f(a, b)']],
    ['not inside brackets', 'let a = (b\n + c\n)\nx[\n0\n]', ['let', 'value x[0]']],
    ['but inside braces inside brackets', 'f(tensor f32[] {\n let a = 1\n a\n})', ['value f(tensor)']],
    ['a minus in front starts a value', 'let a = b\n-a', ['let', 'value (-a)']],
    ['else goes on', 'if a { b = 1 }\nelse if c { b = 2 }\nelse { b = 3 }\nb', ['if-statement', 'value b']],
    ['an if with two values is one', 'if a { b } else { c }', ['value if']],
    ['a comment is nothing', 'let a = b // c\n  // d\na', ['let', 'value a']],
  ])('%s', (_, text, expected) => {
    expect(kinds(text)).toEqual(expected);
  });

  test('headers go on over lines', () => {
    const [fn, recipe] = clean(
      'fn f(x: f32[B])\n  -> f32[B]\n  where B > 1,\n    B < 4\n  = x\nrecipe r\n  for M\n  at B = 1,\n    H = 2\n  extends q\n{ }\n',
    );
    expect(fn).toMatchObject({
      result: { kind: 'tensor-type' },
      where: [{ op: '>' }, { op: '<' }],
      body: { value: { name: 'x' } },
    });
    expect(recipe).toMatchObject({ model: { name: 'M' }, base: { name: 'q' }, bindings: [{}, {}] });
  });
});

test('words of the grammar are names where it does not ask for them', () => {
  const [module] = clean(
    'module A(init: int, group: int) {\n  param = B(init)\n  static static = group\n  method method(input: f32[at], at: int) -> list { let tensor = input; return f(use = tensor[at]) }\n}\n',
  ) as [ModuleDecl];
  expect(module.members.map((member) => [member.kind, member.name.name])).toEqual([
    ['field', 'param'],
    ['static', 'static'],
    ['method', 'method'],
  ]);
});

describe('documentation', () => {
  test('belongs to what stands below it', () => {
    const { tree } = parse(
      'x.crob',
      '/// The file.\n\n/// A.\n/// More.\n@path("a")\nmodule A(\n  /// Width.\n  n: int,\n) {\n  /// Norm.\n  norm = B() /// not this\n  /// F.\n  forward() { }\n}\n',
    );
    expect(tree.docs).toEqual(['The file.']);
    const [module] = tree.declarations as [ModuleDecl];
    expect(module.docs).toEqual(['A.', 'More.']);
    expect(module.params[0]!.docs).toEqual(['Width.']);
    expect(module.members.map((member) => member.docs)).toEqual([['Norm.'], ['F.']]);
    expect(tree.comments.map((comment) => comment.text)).toEqual(['/// not this']);
  });

  test('above the first use it documents the file, above a declaration the declaration', () => {
    expect(parse('x.crob', '/// Doc.\nuse a.{b}\n').tree.docs).toEqual(['Doc.']);
    const { tree } = parse('x.crob', '// licence\n/// Doc.\nfn f() = 1\n');
    expect(tree.docs).toEqual([]);
    expect(tree.declarations[0]!.docs).toEqual(['Doc.']);
    expect(tree.comments).toMatchObject([{ text: '// licence', ownLine: true }]);
  });

  test('a blank line cuts it off', () => {
    const { tree } = parse('x.crob', 'use a.{b}\n/// Lost.\n\nfn f() = 1\n');
    expect(tree.declarations[0]!.docs).toEqual([]);
    expect(tree.comments.map((comment) => comment.text)).toEqual(['/// Lost.']);
  });
});

test('spans cover what they name', () => {
  const text = 'module A(n: int = 1): I {\n  @path("x") a = (b + c) * d(e)\n}\nmodel M extends N { p[0].*.q = 1 }\n';
  const [module, model] = clean(text);
  const cut = (node: { span: { start: number; end: number } }) => text.slice(node.span.start, node.span.end);
  expect(cut(module!)).toBe(text.slice(0, text.indexOf('\nmodel')));
  const [param] = (module as ModuleDecl).params;
  expect(cut(param!)).toBe('n: int = 1');
  const [field] = (module as ModuleDecl).members;
  expect(cut(field!)).toBe('@path("x") a = (b + c) * d(e)');
  const product = (field as { value: Expr }).value as Expr & { kind: 'binary' };
  expect([cut(product), cut(product.left), cut(product.right)]).toEqual(['(b + c) * d(e)', '(b + c)', 'd(e)']);
  expect(model).toMatchObject({
    kind: 'model',
    base: { name: 'N' },
    members: [{ path: { steps: [{ kind: 'name' }, { kind: 'at' }, { kind: 'any' }, { kind: 'name' }] } }],
  });
});
