// slow: compiles variants of CroBIM

import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { asConstant } from '../../compiler/dims/dim.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { emitted } from '../emit/onnx/graphs.ts';
import { runOnnx } from '../emit/onnx/session.ts';
import { memoryHost } from '../memory-host.ts';
import { relativeError } from '../stdlib/goldens.ts';
import { imageOf, startOf } from '../training/formula.ts';

/** CroBIM's parts as small as they allow. Windows of 4 divide none of the maps but the first. */
const tiny = `
use std.backbone.{ConvNeXtMicro, VisualBackbone}
use std.compensation.{RegionAttention, RegionPlain, RegionVectors}
use std.fusion.{TanhGate, Ungated, highest_score, highest_weight}
use std.interaction.{CBAM, PWAM, WPA}
use std.position.{no_position}
use std.resize.{resize_corners}
use std.rris.{CAPM, LGFA, MID, mean_word}
use std.swin.{Swin}

model Encoder(
  backbone: VisualBackbone = Swin(dim = 8, depths = [1, 2, 1, 1], heads = [1, 2, 2, 4], window = 4),
) where H % 32 == 0, W % 32 == 0 {
  capm = CAPM(channels = backbone.channels, dim = 16)
  input image: f32[B, 3, H, W]
  output result = capm(backbone(image))
}

model EncoderConvNeXt extends Encoder { backbone = ConvNeXtMicro() }

model Decoder(dim: int = 16) where 6 <= H*W {
  lgfa = LGFA(channels = [4, 8, 12, 16], text_dim = 12, topk = 6, dim = dim, heads = 2)
  mid = MID(
    channels = [4, 8, 12, 16],
    text_dim = 12,
    dim = dim,
    layers = 1,
    heads = 2,
    points = 2,
    hidden = 16,
    groups = 4,
  )
  input map0: f32[B, 4, 8*H, 8*W]
  input map1: f32[B, 8, 4*H, 4*W]
  input map2: f32[B, 12, 2*H, 2*W]
  input map3: f32[B, 16, H, W]
  input words: f32[B, T, 12]
  input mask: bool[B, T]
  output result = mid(lgfa([map0, map1, map2, map3], words, mask), words, mask)
}
`;

/** What docs/readings.md offers to change, one by one: every parameter of a reading with its alternatives, and what they need. */
const readings = [
  'backbone.window = 6',
  'backbone.mask_padding = true',
  'backbone.out_norms = false',
  'capm.context = "channels"',
  'capm.size = 2',
  'capm.scaled = true',
  'capm.heads = 2',
  'capm.residual = true',
  'capm.pool = max_pool',
  'capm.scales = [1, 2, 3]',
  'capm.query.bias = false',
  'capm.key[*].bias = false',
  'lgfa.score_axis = "channel"; lgfa.length = 6 where T == 6',
  'lgfa.compensation.compared = [2, 3]',
  'lgfa.stage[*].heads = 2',
  'lgfa.stage[*].scale = "words"',
  'lgfa.stage[*].norm = LayerNorm()',
  'lgfa.stage[*].norm = NoNorm()',
  'lgfa.stage[*].norm = InstanceNorm(affine = true)',
  'lgfa.stage[*].mask_padding = false',
  'lgfa.stage[*].gate = TanhGate()',
  'lgfa.stage[*].gate = Ungated()',
  'lgfa.stage[*].score = highest_score',
  'lgfa.stage[*].score = highest_weight',
  'lgfa.stages = [3]',
  'lgfa.stages = []',
  'lgfa.topk = 1',
  'lgfa.dim = 8',
  'lgfa.region = 2 where H % 2 == 0, W % 2 == 0, 24 <= H*W',
  'lgfa.compensation.resample = resize_nearest',
  'lgfa.compensation.resample = resize_area',
  'lgfa.compensation.resample = resize_corners',
  'lgfa.compensation.stretched = false',
  'lgfa.compensation.residual = true',
  'lgfa.compensation.exchange = RegionVectors()',
  'lgfa.compensation.exchange = RegionPlain()',
  'lgfa.compensation.exchange = RegionAttention(across = true)',
  'lgfa.compensation.exchange = RegionAttention(positions = true)',
  'mid.layers = 2',
  'mid.points = 1',
  'mid.levels = [1, 2, 3]',
  'mid.interaction = PWAM()',
  'mid.interaction = WPA()',
  'mid.interaction = CBAM(width = 4*dim)',
  'mid.layer[*].language.ffn.activation = gelu',
  'mid.layer[*].pixels.deform.joint = false',
  'mid.map_norm = InstanceNorm()',
  'mid.map_norm = LayerNorm()',
  'mid.map_norm = NoNorm()',
  'mid.word_norm = NoNorm()',
  'mid.position = no_position',
  'mid.level_code = false',
  'mid.mask_padding = false',
  'mid.combine = "concat"',
  'mid.combine = "none"',
  'mid.summed = false',
  'mid.align_corners = true',
  'mid.sentence = mean_word',
];

const count = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
const given = (name: string, shape: readonly number[]) =>
  [name, tensor('f32', shape, imageOf(name, count(shape)))] as const;
const feeds = new Map<string, TensorData>([
  given('image', [1, 3, 64, 96]),
  ...[4, 8, 12, 16].map((channels, i) => given(`map${i}`, [1, channels, 32 / 2 ** i, 64 / 2 ** i])),
  given('words', [1, 6, 12]),
  ['mask', tensor('bool', [1, 6], Uint8Array.from([1, 1, 1, 1, 0, 0]))],
]);
const sizes = {
  Encoder: { B: 1, H: 64, W: 96 },
  EncoderConvNeXt: { B: 1, H: 64, W: 96 },
  Decoder: { B: 1, H: 4, W: 8, T: 6 },
} as const;

type Host = keyof typeof sizes;

/** The model that has what is changed. */
const hostOf = (change: string): Host => (/^(lgfa|mid)\./.test(change) ? 'Decoder' : 'Encoder');

function compiled(host: Host, change = '', training = false) {
  const [body, where] = change.split(' where ');
  const variant = `model Changed extends ${host}${where ? ` where ${where}` : ''} { ${body} }`;
  const { graph, diagnostics } = compile(memoryHost({ 'tiny.crob': `${tiny}\n${variant}\n` }), 'tiny.crob', {
    model: 'Changed',
    dims: new Map(Object.entries(sizes[host])),
    overrides: [],
    training,
  });
  // That a map is no longer read is a note.
  expect(diagnostics.filter(isError).map((d) => `${d.code} ${d.message}`)).toEqual([]);
  return graph!;
}

/** What onnxruntime gives, with weights that a formula draws from their paths: none is 0 or 1 as some are at the start. */
async function resultOf(graph: Graph): Promise<TensorData> {
  const shapes = new Map<string, readonly number[]>();
  for (const node of graph.nodes)
    if (node.op === 'weight')
      shapes.set(
        node.attributes.path,
        node.outputs[0].type.shape.map((d) => asConstant(d)!),
      );
  const read = (path: string) => startOf(path, shapes.get(path)!);
  return (await runOnnx(emitted(runPipeline(graph)), feeds, { read })).get('result')!;
}

describe('every reading can be changed, and what is changed matters', () => {
  const usual = new Map<Host, TensorData>();
  beforeAll(async () => {
    for (const host of Object.keys(sizes) as Host[]) usual.set(host, await resultOf(compiled(host)));
  });

  test.each([
    ...readings.map((change) => [change, hostOf(change)] as const),
    ['backbone.out_norms = false', 'EncoderConvNeXt'] as const,
  ])('%s', async (change, host) => {
    const result = await resultOf(compiled(host, change));
    expect([...result.data].every(Number.isFinite)).toBe(true);
    // A decoder without the finest level ends at the next one.
    const shape = usual.get(host)!.shape.map((n, axis) => (change.includes('levels = [1') && axis > 1 ? n / 2 : n));
    expect(result.shape).toEqual(shape);
    if (shape.join() === usual.get(host)!.shape.join())
      expect(relativeError(result, usual.get(host)!)).toBeGreaterThan(1e-4);
  });
});

/** What only initial weights show: a weight, what it starts from, and what then. */
const starts = [
  [
    'capm.init = normal(std = 1.0)',
    'capm.prompt',
    { name: 'normal', args: { std: 0.02, mean: 0 } },
    { name: 'normal', args: { std: 1, mean: 0 } },
  ],
  [
    'mid.layer[*].pixels.deform.offsets = zeros',
    'mid.layers.0.pixels.deform.sampling_offsets.bias',
    { name: 'ring', args: { heads: 2, levels: 4, points: 2 } },
    { name: 'zeros', args: {} },
  ],
] as const;

test.each(starts)('%s', (change, path, usual, then) => {
  const initOf = (graph: Graph) =>
    graph.nodes.flatMap(({ op, attributes }) =>
      op === 'weight' && 'init' in attributes && attributes.path === path ? [attributes.init] : [],
    );
  expect(initOf(compiled(hostOf(change)))).toEqual([usual]);
  expect(initOf(compiled(hostOf(change), change))).toEqual([then]);
});

/** What only training shows: how many draws there are, where otherwise there are none. */
const trained = [
  // What each of its parts adds, and hidden units.
  ['mid.interaction = CBAM(dropout = 0.1)', 2 + 3 + 3],
  // Five blocks, with two branches each.
  ['backbone.layers[*].blocks[*].rate = 0.2', 10],
] as const;

test.each(trained)('%s', (change, count) => {
  const draws = (graph: Graph) => graph.nodes.filter((node) => node.op === 'uniform');
  expect(draws(compiled(hostOf(change), '', true))).toHaveLength(0);
  expect(draws(compiled(hostOf(change), change, true))).toHaveLength(count);
});

test('what the page of readings offers is tried here, and it says of every reading how it is changed', () => {
  const rows = [...readFileSync('docs/readings.md', 'utf8').matchAll(/^\| (?!what|---)(.*) \|$/gm)].map(([, row]) =>
    row!.split(/(?<!\\) \| ?/),
  );
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  const offered = rows.flatMap((cells) =>
    [...cells[3]!.matchAll(/`((?:backbone|text|capm|lgfa|mid)\.[^`]+ = [^`]+)`/g)].map(([, change]) => change!),
  );
  const tried = new Set([...readings, ...[...starts, ...trained].map(([change]) => change)].flatMap(parts));
  expect(offered.filter((change) => !tried.has(change))).toEqual([]);
});

/** The single changes of one. */
function parts(change: string): string[] {
  return change.split(' where ')[0]!.split('; ');
}
