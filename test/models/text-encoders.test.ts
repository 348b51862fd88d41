import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { seededRandom } from '../../compiler/ops/random.ts';
import { floats } from '../../compiler/ops/sampling.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { parts } from '../docs/markdown.ts';
import { memoryHost } from '../memory-host.ts';

/** The modules that the guide shows, without its variants of CroBIM. */
function fromTheGuide(): string {
  for (const part of parts(readFileSync('docs/guide.md', 'utf8')))
    if (part.kind === 'block' && part.block.words.includes('recurrent.crob'))
      return part.block.text.replace(/^use models\..*$/m, '').replace(/^model .*?^}$/gms, '');
  throw new Error('the guide has no recurrent.crob');
}

const [batch, length, dim] = [2, 5, 3];
const host = memoryHost({
  'encoders.crob': `${fromTheGuide()}
model Parallel(text: TextEncoder = MinGru(${dim}, vocab = 9)) where T <= text.positions {
  input x: f32[B, T, text.dim]
  input mask: bool[B, T]
  input tokens: i64[B, T]
  output states = text.encode(x, mask)
  output words = text.embed(tokens)
}
model Unrolled where T == ${length} {
  text = Gru(${dim}, vocab = 9, steps = ${length})
  input x: f32[B, T, text.dim]
  input mask: bool[B, T]
  input tokens: i64[B, T]
  output states = text.encode(x, mask)
  output words = text.embed(tokens)
}
`,
});
const weights = (path: string, shape: readonly number[]) => floats(seededRandom(path.length), shape, -1, 1);
const x = floats(seededRandom(1), [batch, length, dim], -2, 2);
const mask = tensor('bool', [batch, length], [1, 1, 1, 1, 1, 1, 0, 1, 1, 0]);

function states(model: string): TensorData {
  const { graph, diagnostics } = compile(host, 'encoders.crob', { model, dims: new Map(), overrides: [] });
  expect(diagnostics).toEqual([]);
  const feeds = new Map([
    ['x', x],
    ['mask', mask],
    ['tokens', tensor('i64', [batch, length], Array(batch * length).fill(0))],
  ]);
  return interpret(graph!, feeds, weights).get('states')!;
}

const sigmoid = (v: number) => 1 / (1 + Math.exp(-v));

/** Numbers of a Linear, for one vector. */
function linear(part: string, outputs: number, of: readonly number[]): number[] {
  const weight = weights(`text.${part}.weight`, [outputs, dim]).data;
  const bias = weights(`text.${part}.bias`, [outputs]).data;
  return Array.from({ length: outputs }, (_, o) =>
    of.reduce((sum, value, i) => sum + Number(weight[o * dim + i]) * value, Number(bias[o])),
  );
}

/** Word by word: the state behind each, which a word that does not count leaves as it is. */
function stepped(next: (word: readonly number[], state: readonly number[]) => number[]): number[] {
  const all: number[] = [];
  for (let b = 0; b < batch; b++) {
    let state = Array<number>(dim).fill(0);
    for (let t = 0; t < length; t++) {
      const at = (b * length + t) * dim;
      if (mask.data[b * length + t]) state = next(Array.from(x.data.slice(at, at + dim), Number), state);
      all.push(...state);
    }
  }
  return all;
}

function expectNear(actual: TensorData, expected: readonly number[]): void {
  expect(actual.shape).toEqual([batch, length, dim]);
  for (const [i, value] of expected.entries()) expect(Number(actual.data[i])).toBeCloseTo(value, 10);
}

test('the recurrent encoder that fills the slot gives the states of its recurrence', () => {
  expectNear(
    states('Parallel'),
    stepped((word, state) => {
      const candidate = linear('candidate', dim, word);
      return linear('gate', dim, word).map((z, i) => sigmoid(z) * candidate[i]! + (1 - sigmoid(z)) * state[i]!);
    }),
  );
});

test('the unrolled one has the equations of a GRU', () => {
  expectNear(
    states('Unrolled'),
    stepped((word, state) => {
      const [given, held] = [linear('ih', 3 * dim, word), linear('hh', 3 * dim, state)];
      return state.map((h, i) => {
        const reset = sigmoid(given[i]! + held[i]!);
        const update = sigmoid(given[dim + i]! + held[dim + i]!);
        const fresh = Math.tanh(given[2 * dim + i]! + reset * held[2 * dim + i]!);
        return update * h + (1 - update) * fresh;
      });
    }),
  );
});

/** Messages of a variant of CroBIM_micro, with their helps. */
function told(gru: string, variant: string): string[] {
  const source = `use models.crobim.{CroBIM_micro}
use std.text.{TextEncoder}
${gru}
${variant}
`;
  const disk = diskHost();
  const read = (path: string) => (path === 'gru.crob' ? source : disk.read(path));
  return check({ ...disk, read }, ['gru.crob']).diagnostics.map(({ code, help }) => `${code} ${help}`);
}

test('a module that is no TextEncoder is told how it stands in the place of the slot', () => {
  const gru = `${fromTheGuide().replace(/^use .*$/gm, '')}\nexample MinGru(8, vocab = 8)\n`;
  const filling = gru.replace('positions: int = 512) {', 'positions: int = 512): TextEncoder {');
  expect(filling).not.toBe(gru);
  const given = 'text = Gru(64, vocab = 2560, steps = 24)';
  const instead =
    'in a variant, a module with other methods takes the place of the slot: `without text`, then `text = Gru(…)`';
  expect(told(gru, `model V extends CroBIM_micro { ${given} }`)).toEqual([`CROB2201 ${instead}`]);
  expect(told(filling, `model V extends CroBIM_micro { ${given} }`)).toEqual([
    `CROB2117 a module that needs more leaves out \`: TextEncoder\`; ${instead}`,
  ]);
  expect(told(gru, `model V extends CroBIM_micro {\n  without text\n  ${given}\n}`)).toEqual([
    expect.stringMatching(/^CROB2108 add `where T == 20` to model V /),
  ]);
  expect(told(gru, `model V extends CroBIM_micro where T == 20 {\n  without text\n  ${given}\n}`)).toEqual([]);
});
