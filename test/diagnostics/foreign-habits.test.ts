import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import { memoryHost } from '../memory-host.ts';
import { follow } from './follow.ts';

/** What people write who come from PyTorch: one message, and a help that, when it is followed, gives a file that checks. */
function told(source: string): readonly Diagnostic[] {
  return check(memoryHost({ 'example.crob': source }), ['example.crob']).diagnostics;
}

function only(source: string): Diagnostic {
  const found = told(source);
  expect(found.map(({ code, message }) => `${code} ${message}`)).toHaveLength(1);
  return found[0]!;
}

/** `edit` is what a reader writes who follows a help that leaves something to them. */
function followed(source: string, help: RegExp, edit?: readonly [from: string, to: string]): void {
  const message = only(source);
  expect(message.help).toMatch(help);
  const edited = edit ? source.replace(edit[0], () => edit[1]) : follow(source, message, message.help ?? '');
  expect(edited, `the help can be followed: ${message.help}`).toBeDefined();
  expect(edited).not.toBe(source);
  expect(told(edited ?? '').map(({ code, message }) => `${code} ${message}`)).toEqual([]);
}

const fn = (body: string, result = 'f32[B, C, N]') =>
  `fn f(x: f32[B, C, N], y: f32[B, C, N], mask: bool[B, C, N]) -> ${result} where 2 <= N {\n  ${body}\n}\n`;

describe('an axis by its number', () => {
  test.each([
    ['mean(x, 1)', 'f32[B, N]', 'mean(x, "b c n -> b n")'],
    ['mean(x, -1)', 'f32[B, C]', 'mean(x, "b c n -> b c")'],
    ['mean(x, dim = 1)', 'f32[B, N]', 'mean(x, "b c n -> b n")'],
    ['mean(x, axis = 1, keepdim = true)', 'f32[B, 1, N]', 'mean(x, "b c n -> b 1 n")'],
    ['sum(x, [1, 2])', 'f32[B]', 'sum(x, "b c n -> b")'],
    ['amax(x + y, dim = (1, 2))', 'f32[B]', 'amax(x + y, "b c n -> b")'],
    ['softmax(x, -1)', 'f32[B, C, N]', 'softmax(x)'],
    ['softmax(x, dim = 1)', 'f32[B, C, N]', 'softmax(x, "b * n")'],
    ['log_softmax(x, 0)', 'f32[B, C, N]', 'log_softmax(x, "* c n")'],
    ['concat([x, y], 1)', 'f32[B, 2*C, N]', 'concat([x, y], "b * n")'],
    ['concat([x, y], dim = -1)', 'f32[B, C, 2*N]', 'concat([x, y], "b c *")'],
    ['stack([x, y], 1)', 'f32[B, 2, C, N]', 'stack([x, y], "b * c n")'],
    ['stack([x, y], dim = -1)', 'f32[B, C, N, 2]', 'stack([x, y], "b c n *")'],
    ['roll(x, 1, 2)', 'f32[B, C, N]', 'roll(x, "b c n", n = 1)'],
    ['pad(x, (0, 1))', 'f32[B, C, N+1]', 'pad(x, "b c n", n = (0, 1))'],
    ['pad(x, (0, 0, 1, 2))', 'f32[B, C+3, N]', 'pad(x, "b c n", c = (1, 2))'],
  ])('%s', (call, result, instead) => {
    const source = fn(`return ${call}`, result);
    const message = only(source);
    expect([message.code, message.help]).toEqual(['CROB2122', `write \`${instead}\``]);
    followed(source, /^write/);
  });

  test.each([
    ['split(x, 2, 1)', 'split(x, "b * n", [2, 2])'],
    ['split(x, 2, dim = 1)', 'split(x, "b * n", [2, 2])'],
    ['split(x, [1, 3], 1)', 'split(x, "b * n", [1, 3])'],
  ])('%s', (call, instead) => {
    const source = `fn f(x: f32[B, 4, N]) -> f32[B, 4, N] {\n  let parts = ${call}\n  return concat(parts, "b * n")\n}\n`;
    expect(only(source).help).toBe(`write \`${instead}\``);
    followed(source, /^write/);
  });

  test('names of axes are those of the sizes, and each is there once', () => {
    const source = 'fn f(x: f32[B, H, 4, H]) -> f32[B, 4, H] = mean(x, 1)\n';
    expect(only(source).help).toBe('write `mean(x, "b h c w -> b c w")`');
    followed(source, /^write/);
  });

  test('an axis that is not there is refused without a guess', () => {
    const { code, help } = only('fn f(x: f32[B, C]) -> f32[B] = mean(x, 2)\n');
    expect([code, help]).toEqual(['CROB2122', 'the axes here can be called "b c"']);
  });

  test('sizes of a pattern may be called `dim` and `axis`', () => {
    const source = 'fn f(x: f32[B, C]) -> f32[B, C, 4] = repeat(x, "b c -> b c dim", dim = 4)\n';
    expect(told(source)).toEqual([]);
    expect(told('fn g(x: f32[B, 8]) -> f32[B, 2] = mean(x, "b (axis d) -> b axis", axis = 2)\n')).toEqual([]);
  });
});

describe('a tensor changed in place', () => {
  test.each([
    ['x[:, 0] = 0.0', 'x = select(tensor bool[i in C, j in N] { i == 0 }, 0.0, x)'],
    ['x[:, 0] = y[:, 0]', 'x = select(tensor bool[i in C, j in N] { i == 0 }, rearrange(y[:, 0], "b n -> b 1 n"), x)'],
    ['x[:, :, 1] += 1.0', 'x = select(tensor bool[i in N] { i == 1 }, rearrange(x[:, :, 1] + 1.0, "b c -> b c 1"), x)'],
    ['x[0] = 0.0', 'x = select(tensor bool[i in B, j in C, k in N] { i == 0 }, 0.0, x)'],
    ['x[mask] = 0.0', 'x = select(mask, 0.0, x)'],
    ['x[mask] *= 2.0', 'x = select(mask, x * 2.0, x)'],
  ])('%s', (statement, instead) => {
    const source = fn(`${statement}\n  return x`);
    expect([only(source).code, only(source).help]).toEqual(['CROB2123', `write \`${instead}\``]);
    followed(source, /^write/);
  });

  test('where no line stands for it, the help says what there is', () => {
    const source = fn('x[:, 0..1] = y[:, 0..1]\n  return x');
    expect(only(source).help).toMatch(/`x = concat\(\[a, b\], "b \* c"\)` joins parts/);
  });

  test.each([
    ['x.add_(y)', 'x = x + y'],
    ['x.mul_(y)', 'x = x * y'],
  ])('%s', (statement, instead) => {
    const help = new RegExp(`^nothing is changed in place: \`${instead.replace(/[+*]/, '\\$&')}\` binds`);
    followed(fn(`${statement}\n  return x`), help, [statement, instead]);
  });

  test('x.relu_()', () => {
    followed(fn('let z = x.relu_()\n  return z'), /`x = relu\(x\)` binds/, ['x.relu_()', 'relu(x)']);
  });

  test('x.masked_fill_(mask, 0.0)', () => {
    const edit = ['x.masked_fill_(mask, 0.0)', 'select(mask, 0.0, x)'] as const;
    followed(fn(`let z = ${edit[0]}\n  return z`), /write `select\(mask, value, x\)`/, edit);
  });
});

describe('a form of Python', () => {
  test.each([
    ['where(mask, x, y)', fn('return where(mask, x, y)'), /`select\(condition, a, b\)`/, ['where(', 'select(']],
    ['torch.where', fn('let z = torch.where(mask, x, y)\n  return z'), /`select/, ['torch.where(', 'select(']],
    ['~mask', fn('return select(~mask, x, y)'), /^write `!`$/, ['~', '!']],
    ['not mask', fn('return select(not mask, x, y)'), /^write `!`$/, ['not ', '!']],
    ['print(x)', fn('print(x)\n  return x'), /`crobc summary`/, ['print(x)\n  ', '']],
    [
      'xs.append(x)',
      fn('let xs = [y]\n  xs.append(x)\n  return xs[1]'),
      /^a list grows by `xs \+= /,
      ['xs.append(x)', 'xs += [x]'],
    ],
    ['x /= 2.0', fn('x /= 2.0\n  return x'), /`a = a \/ b`/, ['x /= 2.0', 'x = x / 2.0']],
    ['x ^= 2', fn('x ^= 2\n  return x'), /`a = a \^ b`/, ['x ^= 2', 'x = x ^ 2']],
    ['x++', 'fn f(n: int) {\n  n++\n  return n\n}\nfn g() = f(1)\n', /`a = a \+ 1`/, ['n++', 'n = n + 1']],
    [
      'a, b = both(x)',
      fn('let parts = [x, y]\n  a, b = parts\n  return a + b'),
      /`let \(a, b\) = …`/,
      ['a, b =', 'let (a, b) ='],
    ],
    [
      'x[:, None]',
      fn('return x[:, None]', 'f32[B, 1, C, N]'),
      /`rearrange\(x, "b c -> b 1 c"\)`/,
      ['x[:, None]', 'rearrange(x, "b c n -> b 1 c n")'],
    ],
    ['x[..., 0]', fn('return x[..., 0]', 'f32[B, C]'), /`x\[:, :, i\]`/, ['...', ':, :']],
    ['let mut z', fn('let mut z = x\n  return z'), /leave it out/, ['mut ', '']],
    ['del y', fn('del y\n  return x'), /leave it out/, ['del y\n  ', '']],
    [
      'with torch.no_grad()',
      fn('with torch.no_grad() { x = y }\n  return x'),
      /`stop_gradient\(x\)`/,
      ['with torch.no_grad() { x = y }', 'x = stop_gradient(y)'],
    ],
    [
      'mode in modes',
      'fn f(mode: string) = if mode in ["a", "b"] { 1 } else { 0 }\n',
      /`mode == "add" \|\| mode == "gate"`/,
      ['mode in ["a", "b"]', 'mode == "a" || mode == "b"'],
    ],
    [
      'torch.zeros',
      fn('return x + torch.zeros(B, C, N)'),
      /`full\(0\.0, \[N, 4\]\)`/,
      ['torch.zeros(B, C, N)', 'full(0.0, [B, C, N])'],
    ],
    ['x.eq(y)', fn('return select(x.eq(y), x, y)'), /`x == y`/, ['x.eq(y)', 'x == y']],
    ['for t in 4', fn('for t in 4 { x = x + y }\n  return x'), /^write `0\.\.4`$/, ['in 4', 'in 0..4']],
    ['range(1, 3)', fn('for t in range(1, 3) { x = x + y }\n  return x'), /`a\.\.b` counts/, ['range(1, 3)', '1..3']],
  ] as const)('%s', (_, source, help, edit) => {
    followed(source, help, edit);
  });

  test('{"a": x}', () => {
    expect(told(fn('let r = {"a": x}\n  return r.a'))[0]?.help).toMatch(/named tuple, `\(a = x, b = y\)`/);
    expect(told('module A(dim: int) {\n  parts = nn.ModuleDict({})\n}\n')[0]?.help).toMatch(/members of a module/);
  });

  test('return x, y', () => {
    const source = 'fn f(x: f32[B], y: f32[B]) -> f32[B] {\n  return x, y\n}\n';
    const edited = source.replace('x, y\n', '(a = x, b = y)\n').replace('-> f32[B]', '-> (a: f32[B], b: f32[B])');
    expect(only(source).help).toMatch(/`return \(a = x, b = y\)`, with the result type/);
    expect(told(edited)).toEqual([]);
  });

  test.each([
    ['self.fc = …', 'self.fc = Linear(dim, dim)', /declared by their names/],
    ['def __init__', 'def __init__(self, dim) { }', /parameters in its header/],
    ['super().__init__()', 'super().__init__()', /a module has no base/],
    ['register_buffer', 'register_buffer("m", zeros)', /`buffer mean: f32\[dim\] = zeros`/],
    ['nn.Parameter', 'w = nn.Parameter(dim)', /`param w: /],
    ['param w = zeros', 'param w: f32[dim] = zeros', /`~ zeros`/],
    ['GRU', 'rnn = nn.GRU(dim, dim)', /under `where T == 20`/],
    ['Conv1d', 'c = nn.Conv1d(dim, dim, 3)', /kernel of height 1/],
  ])('%s in a module', (_, member, help) => {
    const source = `module A(dim: int) {\n  ${member}\n  forward(x: f32[B, dim]) -> f32[B, dim] { return x }\n}\nexample A(8)\n`;
    expect(told(source)[0]?.help).toMatch(help);
  });

  test('a base of a module', () => {
    expect(only('module Net(dim: int) extends Module {\n  fc = Linear(3, 4)\n}\n').help).toMatch(
      /a module has no base/,
    );
    expect(told('module Net(nn.Module) {\n  fc = Linear(3, 4)\n}\n')[0]?.help).toMatch(/a module has no base/);
  });
});

describe('a line of a variant', () => {
  const base = 'model M(dim: int = 8) {\n  fc = Linear(8, dim)\n  input x: f32[B, 8]\n  output y = fc(x)\n}\n';
  test.each([
    ['dim *= 2', 'dim = dim * 2'],
    ['dim -= 2', 'dim = dim - 2'],
    ['dim -= 2 - 1', 'dim = dim - (2 - 1)'],
    ['fc.outputs += 2', 'fc.outputs = fc.outputs + 2'],
  ])('%s', (line, instead) => {
    const source = `${base}model V extends M {\n  ${line}\n}\n`;
    expect([only(source).code, only(source).help]).toEqual(['CROB1052', `write \`${instead}\``]);
    followed(source, /^write/);
  });

  test.each([
    ['super.dim', 'dim = super.dim / 2', /reads what the base gives/, ['super.dim', 'dim']],
    ['override', 'override dim = 4', /leave it out/, ['override ', '']],
    ['dim /= 2', 'dim /= 2', /`a = a \/ b`/, ['dim /= 2', 'dim = dim / 2']],
  ] as const)('%s', (_, line, help, edit) => {
    followed(`${base}model V extends M {\n  ${line}\n}\n`, help, edit);
  });

  test.each([
    ['model V(M) { dim = 4 }', /`model X extends Y \{ … \}`/],
    ['model V: M { dim = 4 }', /`model X extends M \{ … \}`/],
  ])('%s', (line, help) => {
    followed(`${base}${line}\n`, help, [line, 'model V extends M { dim = 4 }']);
  });
});

describe('a loop over a dim', () => {
  const loops = [
    'fn f(x: f32[B, T, C]) -> f32[B, C] {\n  let y = x[:, 0]\n  for t in 0..T { y = y + x[:, t] }\n  return y\n}\n',
    'fn f(x: f32[B, T, C]) -> f32[B, C] {\n  let y = x[:, 0]\n  for t in range(T) { y = y + x[:, t] }\n  return y\n}\n',
    'fn f(x: f32[B, T, C]) -> f32[B, C] {\n  let y = x[:, 0]\n  for t in 0..floor(T/2) { y = y + x[:, t] }\n  return y\n}\n',
    'model M {\n  input x: f32[B, T, 4]\n  let ys = [x[:, t] for t in 0..T]\n  output y = ys[0]\n}\n',
    'module A(dim: int) {\n  fc = Linear(dim, dim)\n  forward(x: f32[B, T, dim]) -> f32[B, dim] where T <= 4 {\n    let y = x[:, 0]\n    for t in 1..T { y = fc(y) + x[:, t] }\n    return y\n  }\n}\nexample A(8)\n',
  ];
  test.each(loops)('is told with the condition that fixes it: %s', (source) => {
    expect(only(source).code).toBe('CROB2203');
    followed(source, /^add `where T == \d+` to .+ \(:\d\), with the size that you mean/);
  });

  test('the size that is offered is one that is left', () => {
    expect(only(loops.at(-1)!).help).toContain('`where T == 4`');
  });
});

const model =
  'model M {\n  fc = Linear(8, 8)\n  head = Linear(8, 1)\n  input x: f32[B, 8]\n  output y: f32[B, 1] = head(fc(x))\n}\n' +
  'recipe base for M at B = 2 {\n  input target: f32[B, 1]\n  term l2 = mean(square(y - target), "b c -> ")\n' +
  '  term l1 = mean(abs(y - target), "b c -> ")\n  optimizer = AdamW(lr = 1e-3)\n  epochs = 2\n}\n';
const recipe = (line: string) => `${model}recipe own extends base {\n  ${line}\n}\n`;

describe('a line of a recipe', () => {
  test.each([
    ['group fc.* { lr = 0.1 * lr }', '0.1x'],
    ['group fc.* { lr = lr * 0.1 }', '0.1x'],
    ['group fc.* { lr = lr / 10 }', '0.1x'],
    ['group fc.* { weight_decay = 2 * weight_decay }', '2x'],
    ['lr = 0.5 * lr', '0.5x'],
    ['lr = super.lr * 0.5', '0.5x'],
  ])('%s', (line, factor) => {
    expect(only(recipe(line)).help).toBe(`write \`${factor}\``);
    followed(recipe(line), /^write/);
  });

  test.each([
    ['freeze(fc)', 'fix fc.*'],
    ['freeze fc.*', 'train all except fc.*'],
    ['freeze = "fc"', 'fix fc.*'],
    ['fc.requires_grad = false', 'train only head.*'],
    ['requires_grad = false', 'fix fc.*'],
    ['group fc.* { requires_grad = false }', 'fix fc.*'],
    ['train head.*', 'train only head.*'],
    ['train except head.*', 'train all except head.*'],
  ])('%s', (line, instead) => {
    followed(recipe(line), /`train only head\.\*`, `train all except backbone\.\*`, or `fix backbone\.\*`/, [
      line,
      instead,
    ]);
  });

  test.each([
    ['loss = mean(y, "b c -> ")', /`term loss = /, 'term loss = mean(y, "b c -> ")'],
    ['batch_size = 4', /at B = 8`/, ''],
    ['wd = 0.1', /`weight_decay`/, 'weight_decay = 0.1'],
    ['max_epochs = 4', /`epochs`/, 'epochs = 4'],
    ['warmup = 100', /`schedule = warmup\(100\) then cosine\(\)`/, 'schedule = warmup(100) then cosine()'],
    ['without term l1', /`without l1`/, 'without l1'],
    ['remove l1', /`without name`/, 'without l1'],
    [
      'group fc.*, head.* { lr = 0.1x }',
      /a group of its own/,
      'group fc.* { lr = 0.1x }\n  group head.* { lr = 0.1x }',
    ],
  ])('%s', (line, help, instead) => {
    followed(recipe(line), help, [line, instead]);
  });
});

describe('an argument of a layer', () => {
  const conv = (args: string, where = ' where 3 <= H, 3 <= W') =>
    `module A(dim: int) {\n  conv = Conv2d(dim, dim, ${args})\n  forward(x: f32[B, dim, H, W]) -> f32[B, dim, H, W]${where} { return x + conv(x) }\n}\nexample A(4)\n`;
  test.each([
    ['padding = "same"', conv('3, padding = "same"', ''), /1 for a kernel of 3/, ['"same"', '1']],
    [
      'too little padding',
      conv('3'),
      /a `padding` of the Conv2d \(:3\) that is larger by 1$/,
      ['dim, 3', 'dim, 3, padding = 1'],
    ],
    ['too much padding', conv('3, padding = 3'), /that is smaller by 2$/, ['padding = 3', 'padding = 1']],
    ['kernel_size', conv('kernel_size = 3, padding = 1', ''), /^did you mean `kernel`\?$/, ['kernel_size', 'kernel']],
    ['inplace', conv('3, padding = 1, inplace = true', ''), /leave it out/, [', inplace = true', '']],
  ] as const)('%s', (_, source, help, edit) => {
    followed(source, help, edit);
  });

  test('where a size is known, or no convolution is behind it, nothing is said of padding', () => {
    const added = 'fn f(x: f32[B, N], y: f32[B, M]) -> f32[B, N] where 3 <= N = x[:, 0..N-2] + x\n';
    expect(told(added)[0]?.help ?? '').not.toContain('padding');
  });

  const element = 'max(logits, 0.0) - logits * target + log(1.0 + exp(-abs(logits)))';
  const losses = (term: string) =>
    'model M {\n  head = Conv2d(3, 1, 1)\n  input image: f32[B, 3, H, W]\n  output logits = head(image)\n}\n' +
    'recipe r for M at B = 2, H = 8, W = 8 {\n  input target: f32[B, 1, H, W]\n' +
    `  term loss = ${term}\n  optimizer = AdamW(lr = 1e-3)\n  epochs = 1\n}\n`;
  test('a cross-entropy without a reduction is written out, and checks', () => {
    const call = 'F.binary_cross_entropy_with_logits(logits, target, reduction = "none")';
    const source = losses(`mean((1.0 + target) * ${call}, "b c h w -> ")`);
    expect(only(source).help).toContain(`\`${element}\``);
    followed(source, /without a reduction it is/, [call, `(${element})`]);
    expect(only(losses('cross_entropy(logits, target, reduction = "none")')).help).toContain(element);
    followed(losses('nn.BCEWithLogitsLoss(logits, target)'), /^`cross_entropy/, [
      'nn.BCEWithLogitsLoss',
      'cross_entropy',
    ]);
  });
});
