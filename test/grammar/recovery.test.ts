import { describe, expect, test } from 'vitest';
import { parse } from '../../grammar/parse.ts';
import { position } from '../../grammar/span.ts';

/** Faults as `line:column code`. */
function faults(text: string): string[] {
  return parse('x.crob', text).faults.map(({ code, span }) => {
    const { line, column } = position(text, span.start);
    return `${line}:${column} ${code}`;
  });
}

describe('one run reports every independent mistake', () => {
  test('in headers, members and statements', () => {
    const text = `module A(dim int, heads: int) {
  fc = Linear(dim, 3
  forward(x: f32[B]) -> f32[B] {
    let a = x +
    let b = (a, c
    return b b
  }
  norm = LayerNorm(
  param w: f32[3] ~
  method f(x: f32[B) -> f32[B] { x }
}
fn g(x: f32[B]) -> f32[B] = x @ x
model M extends { input x: f32[3] ]
  output y = x
}
recipe r for M { epochs 3; term = 3 }
`;
    expect(faults(text)).toEqual([
      '1:14 CROB1001',
      '2:14 CROB1007',
      '4:16 CROB1001',
      '5:13 CROB1007',
      '6:14 CROB1046',
      '8:19 CROB1007',
      '9:20 CROB1001',
      '10:18 CROB1007',
      '12:31 CROB1013',
      '13:17 CROB1001',
      '13:35 CROB1009',
      '16:25 CROB1001',
    ]);
  });

  test('and the parts around a mistake are read', () => {
    const { tree } = parse(
      'x.crob',
      'module A(n: int, ?, m: int) {\n  a = Foo(\n  b = Bar(1, *, 2)\n}\nfn f() = )\nfn g() = 1\n',
    );
    const [module, fn] = tree.declarations;
    expect(module).toMatchObject({ kind: 'module', params: [{ name: { name: 'n' } }, { name: { name: 'm' } }] });
    expect(module).toMatchObject({
      members: [{ name: { name: 'a' } }, { name: { name: 'b' }, value: { args: [{}, {}] } }],
    });
    expect(fn).toMatchObject({ kind: 'fn', name: { name: 'g' } });
  });

  test('a body behind a broken header is still read', () => {
    expect(faults('module A() -> f32 {\n  x = ;\n}\nfn f() = 1\n')).toEqual(['1:12 CROB1001', '2:6 CROB1001']);
  });
});

describe('one mistake is one message', () => {
  test.each([
    [
      'a missing brace',
      'module A() {\n  forward(x: f32[B]) -> f32[B] {\n    if a { x = 1\n    return x\n  }\n}\nmodule B() { }\n',
      ['3:10 CROB1008'],
    ],
    ['a missing brace at the end', 'module A() {\n  a = B()\n', ['1:12 CROB1008']],
    ['a brace too many', 'module A() {\n  a = B() }\n}\nmodule C() { }\n', ['2:11 CROB1009']],
    ['an unclosed parameter list', 'module A( {\n  a = B()\n}\n', ['1:9 CROB1007']],
    [
      'a Python class',
      'class Foo(nn.Module):\n    def __init__(self, dim):\n        self.fc = nn.Linear(dim, dim)\n',
      ['1:1 CROB1032'],
    ],
    ['an unknown character', 'fn f() = 1\n§\nfn g() = 2\n', ['2:1 CROB1002']],
    ['a stray token between declarations', 'fn f() = 1\n+ 2 )\nfn g() = 2\n', ['2:5 CROB1009']],
  ])('%s', (_, text, expected) => {
    expect(faults(text).filter((fault) => !fault.endsWith('CROB1019'))).toEqual(expected);
  });
});
