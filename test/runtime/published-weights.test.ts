import { describe, expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { writeSafetensors } from '../../runtime/weights/safetensors.ts';
import { openMappedWeights, openWeightsVia } from '../../runtime/weights/weights-map.ts';
import { memoryHost } from '../memory-host.ts';
import { temporaryFolder } from './temporary-folder.ts';

// Names and shapes are those that Transformers 4.57 and 5 give the tensors of their state dicts.

const at = temporaryFolder();

type Shapes = Readonly<Record<string, readonly number[]>>;

/** `weight` [out, in], `bias` [out]. */
const linear = (name: string, outputs: number, inputs: number): Shapes => ({
  [`${name}.weight`]: [outputs, inputs],
  [`${name}.bias`]: [outputs],
});
const norm = (name: string, size: number): Shapes => ({ [`${name}.weight`]: [size], [`${name}.bias`]: [size] });
const convolution = (name: string, ...shape: [number, number, number, number]): Shapes => ({
  [`${name}.weight`]: shape,
  [`${name}.bias`]: [shape[0]],
});
const all = (...parts: readonly Shapes[]): Shapes => Object.assign({}, ...parts);

/**
 * Every tensor of a file holds its own number all over. Says which tensors the weights of a model were made of, in their order.
 */
async function madeOf(source: string, map: string, shapes: Shapes): Promise<(weight: string) => readonly string[]> {
  const compiled = compile(memoryHost({ 'main.crob': source }), 'main.crob', {
    model: undefined,
    dims: new Map(),
    overrides: [],
    via: map,
  });
  expect(compiled.diagnostics).toEqual([]);
  const names = Object.keys(shapes);
  const path = at(map);
  await writeSafetensors(
    path,
    names.map((name, i) => ({
      name,
      dtype: 'F32' as const,
      shape: shapes[name]!,
      data: () => new Float32Array(shapes[name]!.reduce((n, size) => n * size, 1)).fill(i),
    })),
  );
  const wanted = weightsOf(compiled.graph!);
  const file = await openMappedWeights(path, wanted, compiled.via!);
  const found = new Map<string, readonly string[]>();
  for (const weight of wanted)
    found.set(
      weight.path,
      [...new Set(await file.read(weight.path))].map((i) => names[i]!),
    );
  await file.close();
  return (weight) => found.get(weight) ?? [];
}

const swin = `
use std.swin.{Swin, huggingface_swin}
model Net {
  backbone = Swin(dim = 8, depths = [1, 1, 2, 1], heads = [1, 2, 4, 8], window = 4)
  input image: f32[B, 3, 64, 64]
  let maps = backbone(image)
  output a = maps[0]
  output b = maps[1]
  output c = maps[2]
  output d = maps[3]
}
`;

const swinShapes = (attention: (block: string, dim: number) => Shapes) =>
  all(
    convolution('swin.embeddings.patch_embeddings.projection', 8, 3, 4, 4),
    norm('swin.embeddings.norm', 8),
    ...[1, 1, 2, 1].flatMap((depth, i) => {
      const dim = 8 * 2 ** i;
      const layer = `swin.encoder.layers.${i}`;
      const blocks = Array.from({ length: depth }, (_, j) => {
        const block = `${layer}.blocks.${j}`;
        return all(
          norm(`${block}.layernorm_before`, dim),
          attention(block, dim),
          norm(`${block}.layernorm_after`, dim),
        );
      });
      if (i === 3) return blocks;
      return [
        ...blocks,
        norm(`${layer}.downsample.norm`, 4 * dim),
        { [`${layer}.downsample.reduction.weight`]: [2 * dim, 4 * dim] },
      ];
    }),
    norm('swin.layernorm', 64),
    ...[8, 16, 32, 64].map((dim, i) => norm(`hidden_states_norms.stage${i + 1}`, dim)),
  );

test('Swin of Transformers 4', async () => {
  const shapes = swinShapes((block, dim) =>
    all(
      { [`${block}.attention.self.relative_position_bias_table`]: [49, dim / 8] },
      { [`${block}.attention.self.relative_position_index`]: [16, 16] },
      ...['query', 'key', 'value'].map((part) => linear(`${block}.attention.self.${part}`, dim, dim)),
      linear(`${block}.attention.output.dense`, dim, dim),
      linear(`${block}.intermediate.dense`, 4 * dim, dim),
      linear(`${block}.output.dense`, dim, 4 * dim),
    ),
  );
  const from = await madeOf(swin, 'huggingface_swin', shapes);
  const block = 'swin.encoder.layers.2.blocks.1';
  expect(from('backbone.layers.2.blocks.1.attn.qkv.weight')).toEqual([
    `${block}.attention.self.query.weight`,
    `${block}.attention.self.key.weight`,
    `${block}.attention.self.value.weight`,
  ]);
  expect(from('backbone.layers.2.blocks.1.attn.proj.bias')).toEqual([`${block}.attention.output.dense.bias`]);
  expect(from('backbone.layers.2.blocks.1.attn.relative_position_bias_table')).toEqual([
    `${block}.attention.self.relative_position_bias_table`,
  ]);
  expect(from('backbone.layers.2.blocks.1.norm1.weight')).toEqual([`${block}.layernorm_before.weight`]);
  expect(from('backbone.layers.2.blocks.1.norm2.bias')).toEqual([`${block}.layernorm_after.bias`]);
  expect(from('backbone.layers.2.blocks.1.mlp.fc1.weight')).toEqual([`${block}.intermediate.dense.weight`]);
  expect(from('backbone.layers.2.blocks.1.mlp.fc2.weight')).toEqual([`${block}.output.dense.weight`]);
  expect(from('backbone.layers.1.downsample.reduction.weight')).toEqual([
    'swin.encoder.layers.1.downsample.reduction.weight',
  ]);
  expect(from('backbone.patch_embed.proj.weight')).toEqual(['swin.embeddings.patch_embeddings.projection.weight']);
  expect(from('backbone.norm0.weight')).toEqual(['hidden_states_norms.stage1.weight']);
  expect(from('backbone.norm3.bias')).toEqual(['hidden_states_norms.stage4.bias']);
});

test('Swin of Transformers 5', async () => {
  const shapes = swinShapes((block, dim) =>
    all(
      { [`${block}.attention.relative_position_bias.relative_position_bias_table`]: [49, dim / 8] },
      ...['q', 'k', 'v', 'o'].map((part) => linear(`${block}.attention.${part}_proj`, dim, dim)),
      linear(`${block}.mlp.fc1`, 4 * dim, dim),
      linear(`${block}.mlp.fc2`, dim, 4 * dim),
    ),
  );
  const from = await madeOf(swin, 'huggingface_swin', shapes);
  const block = 'swin.encoder.layers.0.blocks.0';
  expect(from('backbone.layers.0.blocks.0.attn.qkv.bias')).toEqual(
    ['q', 'k', 'v'].map((part) => `${block}.attention.${part}_proj.bias`),
  );
  expect(from('backbone.layers.0.blocks.0.attn.proj.weight')).toEqual([`${block}.attention.o_proj.weight`]);
  expect(from('backbone.layers.0.blocks.0.attn.relative_position_bias_table')).toEqual([
    `${block}.attention.relative_position_bias.relative_position_bias_table`,
  ]);
  expect(from('backbone.layers.0.blocks.0.mlp.fc2.bias')).toEqual([`${block}.mlp.fc2.bias`]);
});

const convnext = `
use std.convnext.{ConvNeXt, huggingface_convnext}
model Net {
  backbone = ConvNeXt(channels = [4, 8, 12, 16], depths = [1, 2, 1, 1])
  input image: f32[B, 3, 64, 64]
  let maps = backbone(image)
  output a = maps[0]
  output b = maps[1]
  output c = maps[2]
  output d = maps[3]
}
`;

test.each([
  ['with the name of the model in front', 'convnext.'],
  ['of a backbone', ''],
])('ConvNeXt %s', async (_, prefix) => {
  const channels = [4, 8, 12, 16];
  const shapes = all(
    convolution(`${prefix}embeddings.patch_embeddings`, 4, 3, 4, 4),
    norm(`${prefix}embeddings.layernorm`, 4),
    ...channels.flatMap((dim, i) => {
      const stage = `${prefix}encoder.stages.${i}`;
      const layers = Array.from({ length: i === 1 ? 2 : 1 }, (_, j) => {
        const layer = `${stage}.layers.${j}`;
        return all(
          { [`${layer}.layer_scale_parameter`]: [dim] },
          convolution(`${layer}.dwconv`, dim, 1, 7, 7),
          norm(`${layer}.layernorm`, dim),
          linear(`${layer}.pwconv1`, 4 * dim, dim),
          linear(`${layer}.pwconv2`, dim, 4 * dim),
        );
      });
      if (i === 0) return layers;
      const before = channels[i - 1]!;
      return [
        ...layers,
        norm(`${stage}.downsampling_layer.0`, before),
        convolution(`${stage}.downsampling_layer.1`, dim, before, 2, 2),
      ];
    }),
    ...channels.map((dim, i) => norm(`hidden_states_norms.stage${i + 1}`, dim)),
  );
  const from = await madeOf(convnext, 'huggingface_convnext', shapes);
  expect(from('backbone.downsample_layers.0.0.weight')).toEqual([`${prefix}embeddings.patch_embeddings.weight`]);
  expect(from('backbone.downsample_layers.0.1.bias')).toEqual([`${prefix}embeddings.layernorm.bias`]);
  expect(from('backbone.downsample_layers.2.1.weight')).toEqual([
    `${prefix}encoder.stages.2.downsampling_layer.1.weight`,
  ]);
  expect(from('backbone.stages.1.1.gamma')).toEqual([`${prefix}encoder.stages.1.layers.1.layer_scale_parameter`]);
  expect(from('backbone.stages.3.0.pwconv2.weight')).toEqual([`${prefix}encoder.stages.3.layers.0.pwconv2.weight`]);
  expect(from('backbone.norm2.weight')).toEqual(['hidden_states_norms.stage3.weight']);
});

test.each([
  ['with weight and bias', 'weight', 'bias'],
  ['with gamma and beta', 'gamma', 'beta'],
])('BERT with its pretraining heads, norms %s', async (_, weight, bias) => {
  const bert = `
use std.bert.{Bert, huggingface_bert}
model Net {
  text = Bert(vocab = 30, dim = 8, depth = 2, heads = 2, hidden = 16, positions = 20)
  input tokens: i64[B, 12]
  input mask: bool[B, 12]
  output y = text(tokens, mask)
}
`;
  const layerNorm = (name: string): Shapes => ({
    [`${name}.LayerNorm.${weight}`]: [8],
    [`${name}.LayerNorm.${bias}`]: [8],
  });
  const shapes = all(
    { 'bert.embeddings.position_ids': [1, 20] },
    { 'bert.embeddings.word_embeddings.weight': [30, 8] },
    { 'bert.embeddings.position_embeddings.weight': [20, 8] },
    { 'bert.embeddings.token_type_embeddings.weight': [2, 8] },
    layerNorm('bert.embeddings'),
    ...[0, 1].map((i) => {
      const layer = `bert.encoder.layer.${i}`;
      return all(
        ...['query', 'key', 'value'].map((part) => linear(`${layer}.attention.self.${part}`, 8, 8)),
        linear(`${layer}.attention.output.dense`, 8, 8),
        layerNorm(`${layer}.attention.output`),
        linear(`${layer}.intermediate.dense`, 16, 8),
        linear(`${layer}.output.dense`, 8, 16),
        layerNorm(`${layer}.output`),
      );
    }),
    linear('bert.pooler.dense', 8, 8),
    { 'cls.predictions.bias': [30] },
    linear('cls.predictions.transform.dense', 8, 8),
    layerNorm('cls.predictions.transform'),
    linear('cls.predictions.decoder', 30, 8),
    linear('cls.seq_relationship', 2, 8),
  );
  const from = await madeOf(bert, 'huggingface_bert', shapes);
  expect(from('text.embeddings.word_embeddings.weight')).toEqual(['bert.embeddings.word_embeddings.weight']);
  expect(from('text.embeddings.LayerNorm.weight')).toEqual([`bert.embeddings.LayerNorm.${weight}`]);
  const layer = 'encoder.layer.1';
  expect(from(`text.${layer}.attention.self.key.weight`)).toEqual([`bert.${layer}.attention.self.key.weight`]);
  expect(from(`text.${layer}.attention.output.LayerNorm.bias`)).toEqual([
    `bert.${layer}.attention.output.LayerNorm.${bias}`,
  ]);
  expect(from(`text.${layer}.output.LayerNorm.weight`)).toEqual([`bert.${layer}.output.LayerNorm.${weight}`]);
  expect(from(`text.${layer}.intermediate.dense.bias`)).toEqual([`bert.${layer}.intermediate.dense.bias`]);
});

describe('the map is found from the names', () => {
  const bert = `
use std.bert.{Bert}
model Net {
  text = Bert(vocab = 30, dim = 8, depth = 2, heads = 2, hidden = 16, positions = 20)
  input tokens: i64[B, 12]
  input mask: bool[B, 12]
  output y = text(tokens, mask)
}
`;
  const sources = {
    swin: swin.replace(', huggingface_swin', ''),
    convnext: convnext.replace(', huggingface_convnext', ''),
    bert,
    mid: `use std.rris.{MID}
model M {
  mid = MID(channels = [4, 8, 12, 16], text_dim = 8, dim = 8, layers = 2, heads = 2, points = 2, hidden = 16, groups = 2)
  input a: f32[B, 4, 8*H, 8*W]
  input b: f32[B, 8, 4*H, 4*W]
  input c: f32[B, 12, 2*H, 2*W]
  input d: f32[B, 16, H, W]
  input words: f32[B, T, 8]
  input mask: bool[B, T]
  output logits = mid([a, b, c, d], words, mask)
}
`,
    clip_image: `use std.clip.{ClipResNet}
model Net where H % 32 == 0, W % 32 == 0 {
  backbone = ClipResNet(width = 4, depths = [1, 2, 1, 1])
  input image: f32[B, 3, H, W]
  output maps = backbone(image)
}
`,
    clip_text: `use std.clip.{ClipText}
model Net where T <= 20 {
  text = ClipText(vocab = 30, dim = 8, depth = 2, heads = 2, outputs = 4, positions = 20)
  input tokens: i64[B, T]
  input mask: bool[B, T]
  output y = text.sentence(text(tokens, mask), mask)
}
`,
    clip_pool: `use std.clip.{ClipMapPool}
model Net {
  pool = ClipMapPool(8, 4, heads = 2, side = 3)
  input x: f32[B, 8, H, W]
  output y = pool(x)
}
`,
  };

  type Rule = readonly [RegExp, string];
  const later: Rule[] = [0, 1, 2].map((i) => [new RegExp(`^layers\\.${i}\\.down`), `layers.${i + 1}.down`]);
  const timm: readonly Rule[] = [
    [/^downsample_layers\.0/, 'stem'],
    [/^downsample_layers\.(\d)/, 'stages.$1.downsample'],
    [/^stages\.(\d)\.(\d+)\./, 'stages.$1.blocks.$2.'],
    [/dwconv/, 'conv_dw'],
    [/pwconv(\d)/, 'mlp.fc$1'],
  ];
  const underscored: Rule = [/^(layers|stages|stem)\./, '$1_'];
  const classifier = { 'norm.weight': [1], 'norm.bias': [1], 'head.weight': [1], 'head.bias': [1] };
  const noNorms = /^norm\d\./;

  /** The names of our own weights, without the part, in another dialect. */
  test.each<[string, keyof typeof sources, string, readonly Rule[], Shapes, RegExp?]>([
    ['of Microsoft', 'swin', 'microsoft_swin', [], classifier, noNorms],
    ['of Microsoft, with output norms', 'swin', 'microsoft_swin', [], {}],
    ['of timm', 'swin', 'timm_swin', later.toReversed(), { 'norm.weight': [1], 'head.fc.weight': [1] }, noNorms],
    ['of timm, features only', 'swin', 'timm_swin', [...later.toReversed(), underscored], {}, noNorms],
    [
      'of LAVT',
      'swin',
      'lavt_swin',
      [[/^/, 'backbone.']],
      {
        'backbone.layers.0.fusion.vis_project.0.weight': [1],
        'classifier.conv1_1.bias': [1],
        'bert_model.embeddings.LayerNorm.bias': [1],
      },
    ],
    ['of CARIS', 'swin', 'lavt_swin', [[/^/, 'backbone.vis_encoder.']], { 'pixel_decoder.a': [1] }],
    ['of Facebook', 'convnext', 'facebook_convnext', [], classifier, noNorms],
    ['of SMLFR', 'convnext', 'facebook_convnext', [[/^/, 'backbone.']], { 'decode_head.conv_seg.weight': [1] }],
    ['of timm', 'convnext', 'timm_convnext', timm, { 'head.norm.weight': [1], 'head.fc.weight': [1] }, noNorms],
    ['of timm, features only', 'convnext', 'timm_convnext', [...timm, underscored], {}, noNorms],
    [
      'of Hugging Face without prefix',
      'bert',
      'huggingface_bert',
      [],
      { 'pooler.dense.weight': [1], 'embeddings.position_ids': [1] },
    ],
    [
      'of Google',
      'bert',
      'huggingface_bert',
      [
        [/^/, 'bert.'],
        [/Norm\.weight/, 'Norm.gamma'],
        [/Norm\.bias/, 'Norm.beta'],
      ],
      { 'cls.predictions.transform.LayerNorm.gamma': [1] },
    ],
    [
      'of Deformable DETR',
      'mid',
      'deformable_detr',
      [
        [/^/, 'transformer.encoder.'],
        [/pixels\.deform/, 'self_attn'],
        [/pixels\.(ffn\.)?/, ''],
      ],
      { 'transformer.level_embed': [1], 'class_embed.0.bias': [1] },
      /^(?!layers\.\d\.pixels)/,
    ],
    ...['', 'mlp.'].map((mlp): [string, 'mid', string, Rule[], Shapes, RegExp] => [
      `of Transformers, feed-forward layers ${mlp}fc1`,
      'mid',
      'huggingface_deformable_detr',
      [
        [/^/, 'model.encoder.'],
        [/pixels\.deform/, 'self_attn'],
        [/pixels\.ffn\.linear/, `${mlp}fc`],
        [/pixels\.norm1/, 'self_attn_layer_norm'],
        [/pixels\.norm2/, 'final_layer_norm'],
      ],
      { 'model.level_embed': [1], 'model.decoder.layers.0.fc1.bias': [1] },
      /^(?!layers\.\d\.pixels)/,
    ]),
    ['of LAVT', 'bert', 'lavt_bert', [[/^/, 'bert_model.']], { 'backbone.norm0.weight': [1] }],
    ['of RMSIN', 'bert', 'lavt_bert', [[/^/, 'text_encoder.']], { 'backbone.norm0.weight': [1], 'classifier.a': [1] }],
    ['of CARIS', 'bert', 'lavt_bert', [[/^/, 'backbone.lang_encoder.']], { 'backbone.vis_encoder.norm0.weight': [1] }],
    [
      'of OpenAI',
      'clip_image',
      'openai_clip_image',
      [[/^/, 'visual.']],
      {
        'visual.bn1.num_batches_tracked': [],
        'visual.layer1.0.downsample.1.num_batches_tracked': [],
        'visual.attnpool.c_proj.bias': [1],
        'transformer.resblocks.0.ln_1.bias': [1],
        logit_scale: [],
      },
    ],
    [
      'of OpenAI',
      'clip_text',
      'openai_clip_text',
      [],
      { 'visual.conv1.weight': [1], logit_scale: [], input_resolution: [], context_length: [], vocab_size: [] },
    ],
    [
      'of OpenAI',
      'clip_pool',
      'openai_clip_pool',
      [[/^/, 'visual.attnpool.']],
      { 'visual.conv1.weight': [1], text_projection: [1] },
      /^connect/,
    ],
  ])('%s: %s', async (_, model, map, rules, others, without) => {
    const compiled = compile(memoryHost({ 'main.crob': sources[model] }), 'main.crob', {
      model: undefined,
      dims: new Map(),
      overrides: [],
    });
    expect(compiled.diagnostics).toEqual([]);
    const theirs = (path: string) =>
      rules.reduce((name, [from, to]) => name.replace(from, to), path.replace(/^\w+\./, ''));
    const wanted = weightsOf(compiled.graph!).filter(({ path }) => !without?.test(path.replace(/^\w+\./, '')));
    const tensors = [
      ...wanted.map(({ path, shape }, i) => ({ name: theirs(path), shape, value: i })),
      ...Object.entries(others).map(([name, shape]) => ({ name, shape, value: -1 })),
    ];
    const path = at('file');
    await writeSafetensors(
      path,
      tensors.map(({ name, shape, value }) => ({
        name,
        dtype: 'F32' as const,
        shape,
        data: () => new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(value),
      })),
    );
    const file = await openWeightsVia(path, wanted, { known: compiled.knownMaps });
    expect(file.map).toBe(map);
    for (const [i, weight] of wanted.entries()) expect(new Set(await file.read(weight.path))).toEqual(new Set([i]));
    expect(file.unused).toBe(Object.keys(others).length);
    await file.close();
  });
});
