import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import { readPdf } from '../runtime/drawing/read-pdf.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';

const at = temporaryFolder();
const graph = (...args: readonly string[]) => crobc(['graph', ...args], { cwd: at('.') });

const source = `/// A pair of <layers>.
module Pair(n: int) {
  layers = [Linear(n, n) for i in 0..2]
  param scale: f32[n] ~ ones
  forward(x: f32[B, n]) -> f32[B, n] { return scale * layers[1](relu(layers[0](x))) }
}
model Net {
  pair = Pair(4)
  head = Linear(4, 2)
  input x: f32[B, 4]
  output y = head(pair(x))
}
`;
beforeAll(() => writeFile(at('net.crob'), source));

const textsOf = (svg: string) => [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);

test('a picture has the parts, their parameters, and the shapes between them', async () => {
  expect(await graph('net.crob')).toEqual({ code: 0, out: 'Net.svg\n', err: '' });
  const texts = textsOf(readFileSync(at('Net.svg'), 'utf8'));
  for (const text of [
    'pair',
    'Pair · 44',
    'layers × 2',
    'Linear · 40',
    'param scale',
    'head',
    '[B, 4]',
    '[B, 2]',
    'output y',
  ])
    expect(texts).toContain(text);
  const { width = 0, height = 0 } = await sharp(at('Net.svg')).metadata();
  expect(Math.min(width, height)).toBeGreaterThan(200);
});

test('a PDF has the same texts, in embedded fonts, and a PNG is twice as large', async () => {
  for (const name of ['net.svg', 'net.pdf', 'net.png']) expect((await graph('net.crob', '-o', name)).err).toBe('');
  const svg = readFileSync(at('net.svg'), 'utf8');
  const page = readPdf(readFileSync(at('net.pdf')));
  expect(page.texts.map((text) => text.replace('<', '&lt;').replace('>', '&gt;'))).toEqual(textsOf(svg));
  expect(page.fonts.map(({ name }) => name.slice(7)).sort()).toEqual(['Arimo-Bold', 'Arimo-Regular']);
  const { width = 0, height = 0 } = await sharp(at('net.svg')).metadata();
  expect(page.size).toEqual([0, 0, 0.75 * width, 0.75 * height]);
  expect(await sharp(at('net.png')).metadata()).toMatchObject({ width: 2 * width, height: 2 * height });
});

test('--depth and --set', async () => {
  await graph('net.crob', '--depth', '1', '--set', 'B=3', '-o', 'one.svg');
  const texts = textsOf(readFileSync(at('one.svg'), 'utf8'));
  expect(texts).toContain('[3, 4]');
  expect(texts).toContain('Pair · 44');
  expect(texts).not.toContain('layers × 2');
});

test('a page folds by part, and has all that it needs', async () => {
  expect((await graph('net.crob', '-o', 'net.html')).out).toBe('net.html\n');
  const page = readFileSync(at('net.html'), 'utf8');
  const ids = [...page.matchAll(/<details id="([^"]*)">/g)].map(([, id]) => id);
  expect(ids).toContain('pair');
  expect(ids).toContain('pair.layers___');
  for (const [, link] of page.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(link);
  expect(page.match(/<details/g)).toHaveLength(page.match(/<\/details>/g)?.length ?? -1);
  expect(page).not.toMatch(/(src|href)="(?!#)|@import|url\((?!#)/);
  // Every picture is an SVG that renders.
  for (const [svg] of page.matchAll(/<svg viewBox[\s\S]*?<\/svg>/g)) {
    const { format } = await sharp(
      Buffer.from(svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ')),
    ).metadata();
    expect(format).toBe('svg');
  }
});

test('the same model gives the same picture', async () => {
  const drawn = async (name: string) => {
    await graph('models/crobim.crob', '-m', 'CroBIM_micro', '--depth', '3', '-o', name);
    return readFileSync(at(name), 'utf8');
  };
  expect(await drawn('first.svg')).toBe(await drawn('second.svg'));
});

test.each([
  [
    ['net.crob', '-o', 'net.jpg'],
    'error: --out net.jpg: the name ends in .svg, .pdf or .png for a picture, and in .html for a page\n',
    2,
  ],
  [['net.crob', '--depth', '0'], 'error: --depth 0 shows nothing: 1 shows the parts of the model\n', 2],
  [['net.crob', '-m', 'Nett'], 'crobc: net.crob has no model Nett; did you mean Net?\n', 1],
  [['net.crob', '-o', 'no/net.svg'], /no\/net\.svg/, 1],
])('%j is refused', async (args, message, expected) => {
  const { code, err } = await graph(...args);
  expect(err).toMatch(message);
  expect(code).toBe(expected);
});
