import { readdirSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { loadFonts } from '../../runtime/drawing/fonts.ts';
import { svg } from '../../runtime/drawing/svg.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { architecture } from '../../runtime/pictures/architecture.ts';
import { dataFlow } from '../../runtime/pictures/data-flow.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { trainingCurve } from '../../scripts/pictures/training-curve.ts';

const folder = 'docs/images';
const script = <T>(name: string) => import(pathToFileURL(`scripts/pictures/${name}`).href) as Promise<T>;

test('the picture of the README is what crobc prints', async () => {
  const { checkPicture } = await script<{ checkPicture(): string }>('check.mjs');
  await expect(checkPicture()).toMatchFileSnapshot('../../docs/images/check.svg');
});

test('the picture of CroBIM is drawn from the model as it is', async () => {
  const compiled = compile(diskHost(), 'models/crobim.crob', { model: 'CroBIM', dims: new Map(), overrides: [] });
  await expect(svg(architecture(dataFlow(compiled), await loadFonts()))).toMatchFileSnapshot(
    '../../docs/images/architecture.svg',
  );
});

test('the picture of a training is drawn from the numbers beside it', async () => {
  const lines = readFileSync(`${folder}/training.jsonl`, 'utf8');
  await expect(await trainingCurve(lines)).toMatchFileSnapshot('../../docs/images/training.svg');
});

test('every picture is made by the script and shown on a page, with a text instead, and is below 300 kB', () => {
  const makes = readFileSync('scripts/make-pictures.mjs', 'utf8');
  const pages = ['README.md', ...readdirSync('docs').flatMap((name) => (name.endsWith('.md') ? [`docs/${name}`] : []))];
  const shown = new Map<string, string>();
  for (const page of pages)
    for (const [, text = '', name = ''] of readFileSync(page, 'utf8').matchAll(
      /!\[([^\]]*)\]\((?:docs\/)?images\/([^)]+)\)/g,
    ))
      shown.set(name, text);
  const all = readdirSync(folder);
  const images = all.filter((name) => !name.endsWith('.jsonl'));
  expect([...shown.keys()].sort()).toEqual(images.sort());
  for (const name of all) {
    expect(makes, name).toContain(`'${name}'`);
    expect(readFileSync(`${folder}/${name}`).length, name).toBeLessThan(300_000);
  }
  for (const [name, text] of shown) expect(text.length, name).toBeGreaterThan(20);
});

describe('the data flow of a model', () => {
  const flowOf = (source: string, depth?: number) => {
    const shipped = diskHost();
    const host = { ...shipped, read: (path: string) => (path === 'a.crob' ? source : shipped.read(path)) };
    return dataFlow(compile(host, 'a.crob', { model: undefined, dims: new Map(), overrides: [] }), depth);
  };

  test('gathers chains and parallel items, and keeps what is read in between apart', () => {
    const { boxes, edges } = flowOf(`
module Two(n: int) {
  chain = [Linear(n, n) for i in 0..3]
  side = [Linear(n, n) for i in 0..2]
  read = [Linear(n, n) for i in 0..2]
  drop = Dropout(0.5)
  forward(x: f32[B, n]) -> f32[B, n] {
    for one in chain { x = one(x) }
    let sides = [one(drop(x)) for one in side]
    let a = read[0](sides[0] * sides[1])
    return a + read[1](a)
  }
}
model M {
  two = Two(4)
  input x: f32[B, 4]
  output y: f32[B, 4] = two(x)
}
`);
    const drawn = edges.map(({ from, to }) => `${from} -> ${to}`);
    const [add, ...others] = boxes.filter(({ kind }) => kind === 'operators');
    expect(others).toEqual([]);
    expect(add?.name).toBe('add');
    expect(drawn).toEqual([
      'x -> two.chain[*]',
      'two.chain[*] -> two.side[*]',
      'two.side[*] -> two.read[0]',
      'two.read[0] -> two.read[1]',
      `two.read[0] -> ${add?.id}`,
      `two.read[1] -> ${add?.id}`,
      `${add?.id} -> y`,
    ]);
    expect(boxes.map(({ name, count, parameters }) => [name, count, parameters])).toEqual([
      ['x', 1, 0],
      ['chain[*]', 3, 60],
      ['side[*]', 2, 40],
      ['read[0]', 1, 20],
      ['read[1]', 1, 20],
      ['add', 1, 0],
      ['y', 1, 0],
    ]);
  });

  test.each(['CroBIM', 'CroBIM_ConvNeXt', 'CroBIM_micro'])('%s: each weight is in one box', (model) => {
    const compiled = compile(diskHost(), 'models/crobim.crob', { model, dims: new Map(), overrides: [] });
    for (const depth of [1, 2, 3, 5]) {
      const { boxes, groups, edges } = dataFlow(compiled, depth);
      const weights = compiled.graph ? weightsOf(compiled.graph) : [];
      const total = weights.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b, 1), 0);
      expect(boxes.reduce((n, { parameters }) => n + parameters, 0)).toBe(total);
      const outermost = groups.filter(({ group }) => group === undefined);
      if (depth > 1) expect(outermost.reduce((n, { parameters }) => n + parameters, 0)).toBe(total);
      // Every value comes from a box, and every box leads to an output.
      const ids = new Set(boxes.map(({ id }) => id));
      expect(edges.filter(({ from, to }) => !ids.has(from) || !ids.has(to))).toEqual([]);
      const read = new Set(edges.map(({ from }) => from));
      expect(boxes.filter(({ id, kind }) => kind !== 'output' && !read.has(id))).toEqual([]);
      const groupIds = new Set(groups.map(({ id }) => id));
      expect([...boxes, ...groups].filter(({ group }) => group !== undefined && !groupIds.has(group))).toEqual([]);
    }
  });

  test('opens lists to any depth, with what each item reads', () => {
    const source = `
module Layer(n: int) {
  one = Linear(n, n)
  two = Linear(n, n)
  forward(x: f32[B, n], words: f32[B, n]) -> f32[B, n] { return two(one(x)) + words }
}
module Net(n: int) {
  layers = [Layer(n) for i in 0..3]
  words = [Linear(n, n) for i in 0..3]
  forward(x: f32[B, n]) -> f32[B, n] {
    for i in 0..3 { x = layers[i](x, words[i](x)) }
    return x
  }
}
model M {
  net = Net(4)
  input x: f32[B, 4]
  output y: f32[B, 4] = net(x)
}
`;
    const at = (depth: number) => flowOf(source, depth).edges.map(({ from, to }) => `${from} -> ${to}`);
    expect(at(1)).toEqual(['x -> net', 'net -> y']);
    expect(at(3).filter((edge) => edge.startsWith('x -> '))).toHaveLength(2);
    expect(flowOf(source, 3).boxes.flatMap(({ kind, name }) => (kind === 'part' ? [name] : []))).toContain('one');
  });
});
