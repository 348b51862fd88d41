import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { builtins } from '../../../compiler/elaborate/eval/builtins/table.ts';
import { torchBuiltins } from '../../../compiler/emit/torch/builtins.ts';
import { nativeFunctionNames, nativeNames } from '../../../compiler/emit/torch/natives.ts';
import { written } from './written.ts';

test('every built-in function is in the table, and no other', () => {
  // The evaluator has `floor` and `ceil` of quotients in no table.
  expect(Object.keys(torchBuiltins).sort()).toEqual([...builtins.keys(), 'ceil', 'floor'].sort());
});

test.each([...nativeNames, ...nativeFunctionNames])('%s is in the library', (key) => {
  const [file = '', name] = key.split(':');
  const source = readFileSync(file.replace(/^std\//, 'stdlib/'), 'utf8');
  expect(source).toMatch(new RegExp(`^(module|fn) ${name}\\(`, 'm'));
});

/** An expression of each built-in function over x: f32[B, 4, 6], map: f32[B, 2, H, W], n: i32[B, 3], and what is written for it. */
const expressions: Readonly<Record<string, readonly [crob: string, python: string]>> = {
  neg: ['neg(x)', '-x'],
  abs: ['abs(x)', 'x.abs()'],
  exp: ['exp(x)', 'x.exp()'],
  log: ['log(x)', 'x.log()'],
  sqrt: ['sqrt(x)', 'x.sqrt()'],
  sin: ['sin(x)', 'x.sin()'],
  cos: ['cos(x)', 'x.cos()'],
  tanh: ['tanh(x)', 'x.tanh()'],
  erf: ['erf(x)', 'x.erf()'],
  sigmoid: ['sigmoid(x)', 'x.sigmoid()'],
  softplus: ['softplus(x)', 'F.softplus(x)'],
  relu: ['relu(x)', 'F.relu(x)'],
  max: ['max(x, 0.5)', 'x.clamp(min=0.5)'],
  min: ['min(x, exp(x))', 'torch.minimum(x, x.exp())'],
  floor: ['floor(x)', 'x.floor()'],
  ceil: ['f32(ceil(n/2))', '(-(-n // 2)).float()'],
  select: ['select(0.0 < x, x, 0.0)', 'torch.where(0.0 < x, x, 0.0)'],
  f32: ['f32(n)', 'n.float()'],
  i32: ['f32(i32(x))', 'x.long().float()'],
  bool: ['f32(bool(n))', 'n.bool().float()'],
  stop_gradient: ['stop_gradient(x)', 'x.detach()'],
  vector: ['vector(H, 1)', 'torch.tensor([H, 1], dtype=torch.float32, device=x.device)'],
  conv2d: ['conv2d(map, full(0.5, [3, 2, 1, 1]), padding = [0, 1, 2, 3])', 'F.conv2d('],
  max_pool2d: ['max_pool2d(map, 2)', 'F.max_pool2d(map_, 2)'],
  matmul: ['matmul(x, rearrange(x, "b i j -> b j i"))', 'torch.matmul(x, x.transpose(1, 2))'],
  layer_norm: ['layer_norm(x, full(1.0, [6]), full(0.0, [6]), eps = 0.1)', 'eps=0.1'],
  gelu: ['gelu(x, approximate = true)', 'F.gelu(x, approximate="tanh")'],
  grid_sample: ['grid_sample(map, full(0.0, [B, 5, 2]))', 'grid_sample(map_, torch.zeros(B, 5, 2, device=x.device))'],
  top_k: ['top_k(x, 2).value', 'x.topk(2).values'],
  gather: ['gather(full(2.0, [7, 2]), n % 7)', 'F.embedding(n % 7, torch.full((7, 2), 2.0, device=x.device))'],
  scatter_add: [
    'scatter_add(n[0, :] % 5, full(1.0, [3, 2]), 5)',
    '.index_add(0, n[0] % 5, torch.ones(3, 2, device=x.device))',
  ],
  full: ['full(0.0, [B, H])', 'torch.zeros(B, H, device=x.device)'],
  iota: ['f32(iota(H))', 'torch.arange(H, device=x.device).float()'],
  len: ['x * len([1, 2])', 'x * len([1, 2])'],
  range: ['x * sum(range(3))', 'x * sum(list(range(3)))'],
  float: ['x * float(2)', 'x * float(2)'],
  size: ['x * size(x, 1)', 'x * x.shape[1]'],
  rearrange: ['rearrange(x, "b (h i) j -> (b h) j i", h = 2)', 'x.unflatten(1, (2, -1)).transpose(2, 3).flatten(0, 1)'],
  repeat: ['repeat(x, "b i j -> b i k j", k = H)', 'x.unsqueeze(2).expand(-1, -1, H, -1)'],
  sum: ['sum(x, "b i j -> j")', 'x.sum((0, 1))'],
  mean: ['mean(x, "b i j -> b 1 j")', 'x.mean(1, keepdim=True)'],
  amax: ['amax(x, "b i j -> j b")', 'x.amax(1).transpose(0, 1)'],
  concat: ['concat([x, x], "b * j")', 'torch.cat([x, x], dim=1)'],
  stack: ['stack([x, x], "b i j *")', 'torch.stack([x, x], dim=3)'],
  split: ['split(x, "b * j", [1, 3])[1]', 'x.split([1, 3], dim=1)[1]'],
  pad: ['pad(map, "b c h w", h = (0, 3), value = 1.0)', 'F.pad(map_, (0, 0, 0, 3), value=1.0)'],
  roll: ['roll(map, "b c h w", h = -1, w = 1)', 'map_.roll((-1, 1), (2, 3))'],
  einsum: ['einsum("b row j, b col j -> b row 1 col", x, x)', 'torch.einsum("abc,adc->abd", x, x).unsqueeze(2)'],
  softmax: ['softmax(x, "b * j")', 'x.softmax(dim=1)'],
  log_softmax: ['log_softmax(x)', 'x.log_softmax(dim=-1)'],
};

/** These need more than an expression: only training has `uniform`, and `refuse` stops the check. */
const elsewhere = ['uniform', 'refuse'];

test('every built-in function has an expression', () => {
  expect([...Object.keys(expressions), ...elsewhere].sort()).toEqual(Object.keys(torchBuiltins).sort());
});

describe.each(Object.entries(expressions))('%s', (_name, [crob, python]) => {
  test('is written', () => {
    const { text, messages } = written(`model Net where 2 <= H, 2 <= W {
  input x: f32[B, 4, 6]
  input map: f32[B, 2, H, W]
  input n: i32[B, 3]
  let own = x * 1.0
  output y = ${crob}
  output z = own
  output other = map
  output numbers = n
}
`);
    expect(messages).toEqual([]);
    expect(text.replace(/\s*\n\s*/g, ' ')).toContain(python);
  });
});

test('random numbers are drawn where the module is in training', () => {
  const { text } = written(`module Noise() {
  forward(x: f32[B, 4]) -> f32[B, 4] {
    if training { return x * uniform(x) + rearrange(uniform([B]), "b -> b 1") }
    return x
  }
}
model Net {
  noise = Noise()
  input x: f32[B, 4]
  output y = noise(x)
}
`);
  expect(text).toContain(
    '        if self.training:\n            return x * torch.rand_like(x) + torch.rand(B, device=x.device).unsqueeze(1)\n',
  );
});
