// slow: hundreds of mistakes

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { memoryHost } from '../memory-host.ts';
import { drawnSeed } from '../seed.ts';

/** Mistakes made at random in files that are right: whatever comes of them is a message, and never a crash. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(root + path, 'utf8');

const sources: readonly (readonly [string, string, number])[] = [
  ['std/norm.crob', read('stdlib/norm.crob'), 40],
  ['std/conv.crob', read('stdlib/conv.crob'), 40],
  ['std/attention.crob', read('stdlib/attention.crob'), 50],
  ['std/resize.crob', read('stdlib/resize.crob'), 40],
  ['std/swin.crob', read('stdlib/swin.crob'), 40],
  ['std/text.crob', read('stdlib/text.crob'), 40],
  ['small.crob', small(), 180],
];

/** Every kind of declaration in little space. */
function small(): string {
  return `
use std.text.{TextEncoder, BertMicro}

interface Fusion(dim: int, text_dim: int) {
  static out: int
  forward(x: f32[B, N, dim], words: f32[B, T, text_dim]) -> f32[B, N, out] where 2 <= N
}
module Add(dim: int, text_dim: int): Fusion {
  static out = dim
  project = Linear(text_dim, dim)
  forward(x: f32[B, N, dim], words: f32[B, T, text_dim]) -> f32[B, N, dim] {
    return x + project(mean(words, "b t d -> b 1 d"))
  }
}
fn pairs(maps: [f32[B, C[i], 2 * H, W] for i in 0..2], n: int = 2) -> (a: f32[B, C[0], H, W], b: typeof(maps)) where H % n == 0 {
  let a = mean(rearrange(maps[0], "b c (h p) w -> b c h w p", p = 2), "b c h w p -> b c h w")
  for i, x in maps {
    maps[i] = if i == 0 { x * 2.0 } else { x }
  }
  return (a = a, b = maps)
}
model Net(fuse: Fusion = Add(), text: TextEncoder = BertMicro(), dim: int = 8) where H % 4 == 0, T <= text.positions {
  @path("fused.{i}") layers = [fuse(dim = dim, text_dim = text.dim) for i in 0..2]
  stem = Conv2d(3, dim, 4, stride = 4)
  input image: f32[B, 3, H, 2*H]
  input tokens: i64[B, T]
  input mask: bool[B, T]
  let words = text(tokens, mask)
  let maps = stem(image)
  let flat = rearrange(maps, "b c h w -> b (h w) c")
  let p = pairs([image, image])
  output y: f32[B, H^2/8, dim] = layers[1](layers[0](flat, words), words)
  output low = p.a[:, :, 0..H/2 - 1, 1..H]
  output(train) aux = tensor f32[i in T, j in H] { select(i < j, 1.0, f32(i + j) / f32(H)) }
}
model Wide extends Net { dim = 16; layers[1].project.bias = false }
model Bare extends Wide {
  without layers
  output y = flat
  let words = text.encode(text.embed(tokens), mask)
  output words = words
}
recipe plain for Net at B = 2, H = 8, T = 4 {
  input target: f32[B, H^2/8, dim]
  term error = mean(square(y - target), "b n c ->")
  optimizer = AdamW(lr = 1e-3)
  epochs = 2
  fix text.*
}
weights map for Linear { "a.{i}.w" -> split("{i}.weight", axis = 0, sizes = [1, 2]) }
example Add(4, 6)
`;
}

/** The fuzzer's own numbers, so that a failure can be found again by its seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435769 + 1;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 2246822519) + 0x9e3779b9;
    state = Math.imul(state ^ (state >>> 13), 3266489917);
    return ((state ^ (state >>> 16)) >>> 0) % below;
  };
}

const token = /\s+|\/\/.*|"[^"\n]*"|[A-Za-z_]\w*|\d+(?:\.\d+)?|\S/g;
const blank = (text: string) => /^\s|^\/\//.test(text);

function mutate(source: string, seed: number): string {
  const draw = random(seed);
  const tokens = source.match(token) ?? [];
  const solid = tokens.flatMap((text, i) => (blank(text) ? [] : [i]));
  const some = () => solid[draw(solid.length)]!;
  for (let n = 1 + draw(3); n > 0; n--) {
    const at = some();
    const to = some();
    switch (draw(6)) {
      case 0:
        tokens[at] = '';
        break;
      case 1:
        [tokens[at], tokens[to]] = [tokens[to]!, tokens[at]!];
        break;
      case 2:
        tokens[at] = tokens[to]!;
        break;
      case 3:
        tokens[at] = `${tokens[at]} ${tokens[to]}`;
        break;
      default: {
        // Numbers and names hurt the elaborator more than brackets do.
        const same = solid.filter((i) => /^\w/.test(tokens[i]!) && /^\d/.test(tokens[i]!) === /^\d/.test(tokens[at]!));
        const number = ['0', '1', '-1', '2', '3', '7', '100000', '1.5', '9007199254740993'][draw(9)]!;
        if (/^\d/.test(tokens[at]!)) tokens[at] = number;
        else if (/^\w/.test(tokens[at]!)) tokens[at] = tokens[same[draw(same.length)]!]!;
        else tokens[at] = '';
      }
    }
  }
  return tokens.join('');
}

describe.each(sources)('%s', (file, source, count) => {
  test(`${count} mistakes`, () => {
    const wrong: number[] = [];
    for (let i = 1; i <= count; i++) {
      const seed = drawnSeed(i);
      const text = mutate(source, seed);
      const failure = crash(file, text);
      if (failure !== undefined) throw new Error(`seed ${seed}: ${failure.stack}\n\n${text}`);
      if (text !== source) wrong.push(seed);
    }
    expect(wrong.length).toBeGreaterThan(count / 2);
  });
});

function crash(file: string, text: string): Error | undefined {
  try {
    const { diagnostics, models, program } = check(memoryHost({ [file]: text }), [file]);
    renderTerminal(diagnostics, (path) => program.files.get(path)?.tree.text, { color: false, width: 80 });
    for (const model of models.values()) {
      const broken = verify(inlineModel(model, new Map()));
      if (broken.length > 0) return new Error(`a graph that does not verify: ${broken[0]}`);
    }
    return undefined;
  } catch (error) {
    return error as Error;
  }
}
