// long: draws variants of every model

import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import { asConstant } from '../../compiler/dims/dim.ts';
import { expandModel } from '../../compiler/elaborate/models/inline.ts';
import type { Value } from '../../compiler/ir/graph.ts';
import { type Draw, draws } from '../draws.ts';
import { memoryHost } from '../memory-host.ts';
import { drawnSeed } from '../seed.ts';
import { shippedModels } from '../shipped.ts';

/**
 * Variants with levels drawn at random. What is noted is compared with the flat graphs of both forms, of which all nodes are
 * kept: a weight is unread when no output, and no buffer that is read, is computed from it.
 */
const bases = [
  ['crobim.crob', 'CroBIM_micro'],
  ['ablations_micro.crob', 'Micro_NoCompensation'],
  ['ablations_micro.crob', 'Micro_PWAM'],
] as const;

function some(d: Draw, least: number): string {
  for (;;) {
    const chosen = [0, 1, 2, 3].filter(() => d.once(2));
    if (chosen.length >= least) return `[${chosen.join(', ')}]`;
  }
}

function lines(d: Draw): string[] {
  const all = [
    `mid.levels = ${some(d, 1)}`,
    `capm.scales = ${some(d, 1)}`,
    `lgfa.stages = ${some(d, 0)}`,
    'mid.combine = "none"',
    'mid.summed = false',
    'capm.residual = true',
  ];
  return all.filter((_, i) => (i === 0 ? !d.once(8) : d.once(3)));
}

/** The weights that nothing reads, with their sizes. */
function unreadIn(host: ReturnType<typeof memoryHost>, model: string): ReadonlyMap<string, number> {
  const weights = new Map<string, number>();
  const read = new Set<string>();
  const forms = [false, true].map((training) => {
    const made = compile(host, 'main.crob', { model, dims: new Map(), overrides: [], training }).model!;
    return { made, ...expandModel(made, new Map()) };
  });
  for (let before = -1; before < read.size; ) {
    before = read.size;
    for (const { made, values, weights: placed, buffers } of forms) {
      const seen = new Set<Value>();
      const open = made.outputs.map(({ value }) => values.get(value)!);
      for (const [path, value] of buffers) if (read.has(path)) open.push(value);
      for (let value = open.pop(); value; value = open.pop()) {
        if (seen.has(value)) continue;
        seen.add(value);
        open.push(...value.node.inputs);
      }
      for (const [path, value] of placed) {
        weights.set(
          path,
          value.type.shape.reduce((size, dim) => size * asConstant(dim)!, 1),
        );
        if (seen.has(value)) read.add(path);
      }
    }
  }
  return new Map([...weights].filter(([path]) => !read.has(path)));
}

test.each(bases)('%s: %s', (file, base) => {
  const d = draws(drawnSeed(base.length));
  const variants = Array.from({ length: 5 }, (_, i) => ({ name: `V${i}`, lines: lines(d) }));
  const text = variants.map((one) => `model ${one.name} extends ${base} {\n  ${one.lines.join('\n  ')}\n}\n`);
  const source = `use ${file.replace('.crob', '')}.{${base}}\n${text.join('')}`;
  const host = memoryHost({ ...shippedModels, 'main.crob': source });
  const { diagnostics, models } = check(host, ['main.crob']);
  let noted = 0;
  for (const [i, { name }] of variants.entries()) {
    if (!models.has(name)) continue;
    const start = source.indexOf(text[i]!);
    const own = diagnostics.filter(
      ({ code, span }) => code === 'CROB2317' && start <= span.start && span.end <= start + text[i]!.length,
    );
    const unread = unreadIn(host, name);
    const roots = own.flatMap(({ message }) => [...message.matchAll(/`(.*?)`/g)].map(([, root]) => root!));
    const isNoted = (path: string) => roots.some((root) => path === root || path.startsWith(`${root}.`));
    // Of many names the last are only counted.
    if (!own.some(({ message }) => / and \d+ more/.test(message)))
      expect([...unread.keys()].filter((path) => !isNoted(path))).toEqual([]);
    for (const root of roots) expect([...unread.keys()].filter((path) => path.startsWith(root))).not.toEqual([]);
    const sizes = own.map(({ message }) => Number(/: ([\d,]+) weight/.exec(message)![1]!.replaceAll(',', '')));
    const sum = (of: readonly number[]) => of.reduce((all, one) => all + one, 0);
    expect(sum(sizes)).toBe(sum([...unread.values()]));
    noted += own.length;
  }
  expect(models.size).toBeGreaterThan(1);
  expect(noted).toBeGreaterThan(0);
});
