// slow: compiles rivals

import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { knownMaps } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { mapFit } from '../../runtime/weights/map-fit.ts';
import type { FileTensor } from '../../runtime/weights/tensor-file.ts';

interface Published {
  readonly file: string;
  readonly model: string;
  readonly map: string;
  /** The published name of one of our weights. */
  readonly name: (path: string) => string;
  /** Tensors that such files have and that have no place here. */
  readonly others: readonly string[];
  /** Weights that such files do not have. */
  readonly missing?: readonly string[];
  /** A part that has a file of its own. */
  readonly apart?: string;
}

const published: readonly Published[] = [
  {
    file: 'lavt',
    model: 'LAVT_micro',
    map: 'published_lavt',
    name: (path: string) => path.replace(/^text\./, 'text_encoder.'),
    others: [
      'backbone.layers.3.res_gate.0.weight',
      'text_encoder.embeddings.position_ids',
      'classifier.bn1_4.num_batches_tracked',
    ],
  },
  {
    file: 'lavt',
    model: 'LAVT_micro',
    map: 'published_lavt',
    name: (path: string) => path.replace(/^text\./, 'bert_model.'),
    others: ['backbone.layers.0.blocks.0.attn.relative_position_index'],
  },
  {
    file: 'rmsin',
    model: 'RMSIN_micro',
    map: 'published_lavt',
    name: (path: string) => path.replace(/^text\./, 'text_encoder.'),
    others: [
      'backbone.layers.3.visual_gate.2.weight',
      'backbone.layers.3.visual_residual.repblock.brb_1x1.bn.running_var',
      'backbone.cim.block.0.csa1.m.bn1.num_batches_tracked',
    ],
  },
  {
    file: 'caris',
    model: 'CARIS_micro',
    map: 'published_caris',
    name: (path: string) =>
      path
        .replace(/^(?=conditional_prompts\.)/, 'backbone.')
        .replace(/^backbone\.(?!conditional)/, 'backbone.vis_encoder.')
        .replace(/^text\./, 'backbone.lang_encoder.'),
    others: ['backbone.lang_encoder.embeddings.position_ids'],
  },
  {
    file: 'dmmi',
    model: 'DMMI_micro',
    map: 'published_dmmi',
    name: (path: string) =>
      path
        .replace(/^text\./, 'bert_model.')
        .replace(/^classifier\.fuse(\d)\.conv(\d)/, 'classifier.conv$2_$1')
        .replace(/^classifier\.fuse(\d)\.norm(\d)/, 'classifier.bn$2_$1'),
    others: [
      'backbone.layers.1.blocks.0.attn.relative_position_index',
      'backbone.layers.3.res_gate.2.weight',
      'classifier.bn2_3.num_batches_tracked',
      'classifier.lan_func.bn1.num_batches_tracked',
      'classifier.lan_func.decoder_layer.self_attn.in_proj_weight',
      'classifier.transformer_fusion2.decoder_layer.linear1.bias',
      'bert_model.embeddings.position_ids',
    ],
  },
  {
    file: 'cris',
    model: 'CRIS_micro',
    map: 'published_cris',
    name: (path: string) =>
      path
        .replace(/^backbone\./, 'backbone.visual.')
        .replace(/^pool\./, 'backbone.visual.attnpool.')
        .replace(/^text\./, 'backbone.'),
    others: [
      'backbone.logit_scale',
      'backbone.visual.layer1.0.downsample.1.num_batches_tracked',
      'backbone.visual.attnpool.connect.1.num_batches_tracked',
      'neck.coordconv.0.conv1.1.num_batches_tracked',
      'proj.vis.1.1.num_batches_tracked',
    ],
  },
  {
    file: 'etris',
    model: 'ETRIS_micro',
    map: 'published_etris',
    name: (path: string) =>
      path
        .replace(/^backbone\./, 'backbone.visual.')
        .replace(/^pool\./, 'backbone.visual.attnpool.')
        .replace(/^text\./, 'backbone.'),
    others: [
      'backbone.logit_scale',
      'backbone.visual.bn1.num_batches_tracked',
      'neck.f3_proj.1.num_batches_tracked',
      'proj.vis.3.1.num_batches_tracked',
    ],
  },
  {
    file: 'bkinet',
    model: 'BKINet_micro',
    map: 'published_bkinet',
    name: (path: string) =>
      path
        .replace(/^backbone\./, 'visumodel.')
        .replace(/^text\.transformer\./, 'textmodel.')
        .replace(/^text\./, 'textmodel_'),
    // The code does not save it.
    missing: ['text.positional_embedding'],
    others: [
      'visumodel.attnpool.positional_embedding',
      'visumodel.layer1.0.bn1.num_batches_tracked',
      'fusion.lang_attn.0.weight',
      'norm1.weight',
      'KAM.mask_decoder.proj1.bn.num_batches_tracked',
    ],
  },
  {
    file: 'crossvlt',
    model: 'CrossVLT_micro',
    map: 'published_crossvlt',
    name: (path: string) =>
      path
        .replace(/^backbone\.patch_embed/, 'backbone.0.patch_embed')
        .replace(/^backbone\.norm(\d)/, 'backbone.$1.norm$1')
        .replace(/^backbone\.layers\.(\d)/, 'backbone.$1.layers')
        .replace(/^turns\.(attn\d|linear\d)\.(\d)/, 'backbone.$2.layers.$1')
        .replace(/^turns\.lang_stage\.(\d)/, (_, stage: string) => `lang_stage${Number(stage) + 2}`)
        .replace(/^align\.pixel\.(\d)/, 'backbone.$1.layers.proj')
        .replace(/^align\.sentence\.0/, 'lang_stage1.encoder.proj')
        .replace(/^align\.sentence\.(\d)/, (_, stage: string) => `lang_stage${Number(stage) + 1}.proj`)
        .replace(/^align\.temp$/, 'temp')
        .replace(/^text\./, 'lang_stage1.'),
    others: [
      'backbone.2.layers.blocks.0.attn.relative_position_index',
      'backbone.3.layers.linear1.0.weight',
      'lang_stage1.embeddings.position_ids',
      'classifier.bn1_4.num_batches_tracked',
    ],
  },
  {
    file: 'refsegformer',
    model: 'RefSegformer_micro',
    map: 'published_refsegformer',
    name: (path: string) =>
      path
        .replace(/^backbone\.vltf\.(\d)/, (_, i: string) => `image_encoder.layers.${Number(i) + 1}.VLTF`)
        .replace(/^backbone\./, 'image_encoder.')
        .replace(/^segmentation\.reading\.(\d)\.cross_attn/, 'segmentation.cross_attns.$1')
        .replace(/^segmentation\.reading\.(\d)\.norm/, 'segmentation.norms.$1')
        .replace(/^segmentation\.exist\./, 'segmentation.')
        .replace(/^text\./, 'text_encoder.'),
    others: [
      'image_encoder.layers.1.blocks.0.attn.relative_position_index',
      'image_encoder.layers.0.memory.weight',
      'image_encoder.norm.bias',
      'image_encoder.layers.3.VLTF.vision_lan_fuse.fc_q.weight',
      'image_encoder.layers.2.VLTF.output_proj.1.num_batches_tracked',
      'segmentation.norms.2.num_batches_tracked',
      'segmentation.projects.0.norm1.num_batches_tracked',
      'text_encoder.embeddings.position_ids',
    ],
  },
  {
    file: 'fianet',
    model: 'FIANet_micro',
    map: 'published_fianet',
    name: (path: string) => path.replace(/^text\./, 'text_encoder.'),
    others: [
      'backbone.layers.0.blocks.1.attn.relative_position_index',
      'backbone.layers.0.object_position_align_blk.go_embedding.weight',
      'backbone.layers.3.object_position_align_blk.go_embedding.weight',
      'backbone.layers.3.object_position_align_blk.sp_cross_attn.f_key.0.bias',
      'backbone.layers.3.context_tanh_gate.2.weight',
      'backbone.layers.3.fc1.bias',
      'backbone.tmem.bn.num_batches_tracked',
      'backbone.tmem.fusion.3.bn2.num_batches_tracked',
      'classifier.bn2_3.num_batches_tracked',
      'text_encoder.embeddings.position_ids',
    ],
  },
  {
    file: 'mattnet',
    model: 'MAttNet_micro',
    map: 'published_mattnet',
    apart: 'mrcn',
    name: (path: string) => path.replace(/rnn\.ahead\.(\w+)$/, 'rnn.$1').replace(/rnn\.back\.(\w+)$/, 'rnn.$1_reverse'),
    others: ['sub_encoder.att_fuse.1.num_batches_tracked'],
  },
];

test.each(published)('$map takes all of $model', ({ file, model: name, map, name: nameOf, others, ...rest }) => {
  const { missing = [], apart } = rest;
  const options = { model: name, dims: new Map(), overrides: [] };
  const { context, model, graph } = compile(diskHost(), `models/rivals/${file}.crob`, options);
  const wanted = weightsOf(graph!).filter(({ path }) => apart === undefined || !path.startsWith(`${apart}.`));
  const given = wanted.filter(({ path }) => !missing.includes(path));
  const tensors = new Map<string, FileTensor>();
  for (const { path, shape } of given) tensors.set(nameOf(path), { name: nameOf(path), dtype: 'F32', shape });
  for (const other of others) tensors.set(other, { name: other, dtype: 'I64', shape: [] });
  const placed = knownMaps(context!, model!.flat.file, { model: model!, roots: [''] }).find((one) => one.name === map);
  const fit = mapFit(tensors, wanted, placed!);
  const lacks = `${missing.length} missing (${missing.join(', ')})`;
  expect(fit.fault).toBe(missing.length === 0 ? undefined : lacks);
  expect(fit.missing).toEqual(missing);
  expect([...fit.skipped].sort()).toEqual([...others].sort());
  for (const { path } of given)
    expect(fit.origins.get(path)?.sources.map((source) => source.name)).toEqual([nameOf(path)]);
});
