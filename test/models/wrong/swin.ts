import type { WrongVariant } from './variant.ts';

const lavt =
  'use models.rivals.lavt.{LAVT_micro, lavt_micro}\nuse std.lavt.{GatedFusion, MapConv, object_logit, reading_stages}';
const rmsin = 'use models.rivals.rmsin.{CrossScale, RMSIN_micro, rmsin_micro}\nuse std.lavt.{reading_stages}';
const crossvlt = 'use models.rivals.crossvlt.{CrossVLT_micro, crossvlt_micro}';
const fianet = 'use models.rivals.fianet.{FIANet_micro, fianet_micro}';
const lgce = 'use models.rivals.lgce.{CrossScaleGuides, LGCE_micro, lgce_micro}';
const stages = 'reading_stages(backbone, fusions, text.dim, image, words, mask)';

/** Wrong variants of models with a language in the stages of a Swin: LAVT and what follows it. */
export const swin: readonly WrongVariant[] = [
  {
    what: 'LAVT: heads that do not divide the channels of one stage',
    source: `${lavt}\nmodel Heads extends LAVT_micro { fusions[2].heads = 5 }`,
    code: 'CROB2207',
    at: 'fusions[2].heads = 5',
    mended: [['= 5', '= 4']],
  },
  {
    what: 'LAVT: the same in the slot, for all stages',
    source: `${lavt}\nmodel Heads extends LAVT_micro { fusion = GatedFusion(heads = 5) }`,
    code: 'CROB2207',
    at: 'fusion = GatedFusion(heads = 5)',
    mended: [['heads = 5', 'heads = 3']],
  },
  {
    what: 'LAVT: channels of a decoder by hand',
    source: `${lavt}\nmodel Typed extends LAVT_micro { decoder.channels = [24, 48, 96, 129] }`,
    code: 'CROB2104',
    at: 'decoder.channels = [24, 48, 96, 129]',
    mended: [
      ['129', '192'],
      ['decoder.channels = [24, 48, 96, 192]', 'decoder.hidden = 64'],
    ],
  },
  {
    what: 'LAVT: tokens in place of the mask',
    source: `${lavt}\nmodel Unmasked extends LAVT_micro { let maps = reading_stages(backbone, fusions, text.dim, image, words, tokens) }`,
    code: 'CROB2103',
    at: 'tokens',
    mended: [
      ['words, tokens', 'words, mask'],
      ['let maps', 'fusions[0].heads = 2; let maps'],
    ],
  },
  {
    what: 'LAVT: a function of the library that is not imported',
    source: `use models.rivals.lavt.{LAVT_micro}\nmodel Fused extends LAVT_micro { let maps = ${stages} }`,
    code: 'CROB2001',
    at: 'reading_stages',
    help: 'use std.lavt.{reading_stages}',
    mended: [['use models', 'use std.lavt.{reading_stages}\nuse models']],
  },
  {
    what: 'LAVT: two scores for one logit',
    source: `${lavt}\nmodel Both extends LAVT_micro { output logits: f32[B, 1, H, W] = resize(decoder(maps), [H, W]) }`,
    code: 'CROB2104',
    at: 'resize(decoder(maps), [H, W])',
    mended: [
      ['resize(decoder(maps), [H, W])', 'object_logit(decoder(maps), [H, W])'],
      ['output', 'decoder.hidden = 48; output'],
    ],
  },
  {
    what: 'LAVT: a logit at the size of the finest map',
    source: `${lavt}\nmodel Coarse extends LAVT_micro { output logits: f32[B, 1, H, W] = object_logit(decoder(maps), [H/4, W/4]) }`,
    code: 'CROB2104',
    at: 'object_logit(decoder(maps), [H/4, W/4])',
    mended: [
      ['[H/4, W/4]', '[H, W]'],
      ['output', 'decoder.hidden = 48; output'],
    ],
  },
  {
    what: "LAVT: a convolution of one's own that does not say what it fills",
    source: `${lavt}
module Wide(channels: int) {
  conv = Conv2d(channels, channels, 5, padding = 2)
  forward(x: f32[B, channels, H, W]) -> f32[B, channels, H, W] { return conv(x) }
}
model Five extends LAVT_micro { decoder.second = Wide() }`,
    code: 'CROB2201',
    at: 'Wide()',
    help: 'declare it `module Wide(…): MapConv`',
    mended: [['module Wide(channels: int)', 'module Wide(channels: int): MapConv']],
  },
  {
    what: "LAVT: a convolution of one's own that halves the map",
    source: `${lavt}
module Half(channels: int): MapConv {
  conv = Conv2d(channels, channels, 3, stride = 2, padding = 1)
  forward { return conv(x) }
}
model Strided extends LAVT_micro { decoder.second = Half() }`,
    code: 'CROB2104',
    at: 'conv(x)',
    mended: [['stride = 2, ', '']],
  },
  {
    what: 'LAVT: a size that 32 does not divide',
    source: `${lavt}\nrecipe cropped for LAVT_micro extends lavt_micro at H = 100, W = 128 { }`,
    code: 'CROB2207',
    at: 'cropped',
    mended: [['H = 100', 'H = 96']],
  },
  {
    what: 'LAVT: longer phrases than BERT has positions',
    source: `${lavt}\nrecipe long for LAVT_micro extends lavt_micro at T = 80 { }`,
    code: 'CROB2207',
    at: 'long',
    mended: [['T = 80', 'T = 64']],
  },
  {
    what: 'LAVT: no text encoder, which the fusions need',
    source: `${lavt}\nmodel NoText extends LAVT_micro { without text }`,
    code: 'CROB2307',
    at: 'text',
    mended: [['without text', 'text.depth = 1']],
  },
  {
    what: 'LAVT: layers of BERT that are not there',
    source: `${lavt}\nrecipe frozen for LAVT_micro extends lavt_micro { fix text.layers[10].* }`,
    code: 'CROB2322',
    at: 'text.layers[10].*',
    help: 'the list has 2 items',
    mended: [['[10]', '[1]']],
  },
  {
    what: 'LAVT: the decoder reads the maps of the backbone alone, so that nothing reads the words',
    source: `${lavt}\nmodel Blind extends LAVT_micro { let maps = backbone(image) }`,
    code: 'CROB2304',
    at: 'let maps = backbone(image)',
    mended: [['let maps', 'without fusions\nwithout text\nlet maps']],
  },
  {
    what: 'RMSIN: another size of images',
    source: `${rmsin}\nrecipe larger for RMSIN_micro extends rmsin_micro at H = 160, W = 160 { }`,
    code: 'CROB2207',
    at: 'larger',
    mended: [['H = 160, W = 160', 'H = 128, W = 128']],
  },
  {
    what: 'RMSIN: images that are not square',
    source: `${rmsin}\nmodel Wide extends RMSIN_micro where H == 128, W == 160 { decoder.hidden = 32 }`,
    code: 'CROB2119',
    at: 'W == 160',
    mended: [['W == 160', 'W == 128']],
  },
  {
    what: 'RMSIN: the side of the exchange without the size of the images',
    source: `${rmsin}\nmodel Fine extends RMSIN_micro { cim.side = 5 }\nrecipe fine for Fine extends rmsin_micro { }`,
    code: 'CROB2207',
    at: 'fine',
    mended: [['rmsin_micro { }', 'rmsin_micro at H = 160, W = 160 { }']],
  },
  {
    what: 'RMSIN: the exchange in a model for all sizes',
    source: `use models.rivals.lavt.{LAVT_micro}\n${rmsin}
model Exchanged extends LAVT_micro {
  cim = CrossScale(backbone.channels, side = 4)
  let read = ${stages}
  let maps = cim(read)
}`,
    code: 'CROB2108',
    at: 'cim(read)',
    help: 'add `where H == 128` to model Exchanged',
    mended: [['LAVT_micro {\n', 'LAVT_micro where H == 128, W == 128 {\n']],
  },
  {
    what: 'RMSIN: no exchange, but its part stays',
    source: `${rmsin}\nmodel Apart extends RMSIN_micro { let maps = ${stages} }`,
    code: 'CROB2304',
    at: `let maps = ${stages}`,
    help: 'without cim',
    mended: [['let maps', 'without cim; let maps']],
  },
  {
    what: 'RMSIN: a parameter of the rotated convolutions at their decoder',
    source: `${rmsin}\nmodel Degrees extends RMSIN_micro { decoder.degrees = 90.0 }`,
    code: 'CROB2301',
    at: 'decoder.degrees',
    mended: [['decoder.degrees', 'decoder.conv2_4.degrees']],
  },
  {
    what: 'RMSIN: a misspelt parameter',
    source: `${rmsin}\nmodel Keys extends RMSIN_micro { cim.attend1.key_dims = 16 }`,
    code: 'CROB2301',
    at: 'cim.attend1.key_dims',
    help: 'key_dim',
    mended: [['key_dims', 'key_dim']],
  },
  {
    what: 'RMSIN: the loss of LAVT only in name',
    source: `${rmsin}\nrecipe plain for RMSIN_micro extends rmsin_micro { without dices }`,
    code: 'CROB2306',
    at: 'dices',
    mended: [['dices', 'dice']],
  },
  {
    what: 'CrossVLT: heads of 64 for a small backbone',
    source: `${crossvlt}\nmodel Head extends CrossVLT_micro { turns.fuse[1].head = 64 }`,
    code: 'CROB2207',
    at: 'turns.fuse[1].head = 64',
    mended: [['64', '48']],
  },
  {
    what: 'CrossVLT: a text encoder that the heads of its stages do not divide',
    source: `${crossvlt}\nmodel Text extends CrossVLT_micro { turns.heads = 12 }`,
    code: 'CROB2207',
    at: 'turns.heads = 12',
    mended: [['12', '16']],
  },
  {
    what: 'CrossVLT: a fifth stage',
    source: `${crossvlt}\nrecipe five for CrossVLT_micro extends crossvlt_micro { term align = cross_entropy(fit_4, target) }`,
    code: 'CROB2001',
    at: 'fit_4',
    mended: [
      ['term align', 'term more'],
      ['fit_4', 'fit_3'],
    ],
  },
  {
    what: 'CrossVLT: pixels of the first stage at the alignment of another',
    source: `${crossvlt}\nmodel Crossed extends CrossVLT_micro { output(train) fit = [resize(align.stage(i, pixels[0], first[i]), [H, W]) for i in 0..4] }`,
    code: 'CROB2104',
    at: 'pixels[0]',
    mended: [['pixels[0]', 'pixels[i]']],
  },
  {
    what: 'FIANet: two readings of the phrase in place of three',
    source: `${fianet}\nmodel Two extends FIANet_micro { let masks = [mask, mask] }`,
    code: 'CROB2102',
    at: 'let masks = [mask, mask]',
    mended: [
      ['[mask, mask]', '[mask, extend(mask[:, 0..T-1], 1), mask]'],
      ['FIANet_micro {', 'FIANet_micro where 2 <= T {'],
    ],
  },
  {
    what: 'FIANet: the words once',
    source: `${fianet}\nmodel Once extends FIANet_micro { let words = text(tokens, mask) }`,
    code: 'CROB2201',
    at: 'let words = text(tokens, mask)',
    mended: [['text(tokens, mask)', '[text(tokens, mask), text(tokens, mask), text(tokens, mask)]']],
  },
  {
    what: 'FIANet: channels that the gate of a channel does not divide',
    source: `${fianet}\nuse std.swin.{Swin}\nmodel Narrow extends FIANet_micro { backbone = Swin(dim = 12, depths = [1, 1, 1, 1], heads = [2, 2, 2, 2], window = 4) }`,
    code: 'CROB2207',
    at: 'backbone = Swin(dim = 12, depths = [1, 1, 1, 1], heads = [2, 2, 2, 2], window = 4)',
    mended: [['dim = 12', 'dim = 16']],
  },
  {
    what: 'LGCE: three maps for two',
    source: `${lgce}\nmodel Three extends LGCE_micro { let coarse = enhance(read[1..4], words, mask) }`,
    code: 'CROB2102',
    at: 'read[1..4]',
    mended: [
      ['read[1..4]', 'read[2..4]'],
      ['let coarse', 'enhance.heads = 4; let coarse'],
    ],
  },
  {
    what: 'LGCE: maps of the wrong stages',
    source: `${lgce}\nmodel Finer extends LGCE_micro { let coarse = enhance(read[1..3], words, mask) }`,
    code: 'CROB2104',
    at: 'read[1..3]',
    mended: [
      ['read[1..3]', 'read[2..4]'],
      ['let coarse', 'enhance.heads = 4; let coarse'],
    ],
  },
  {
    what: 'LGCE: the same map twice',
    source: `${lgce}\nmodel Twice extends LGCE_micro { let coarse = enhance([read[2], read[2]], words, mask) }`,
    code: 'CROB2104',
    at: '[read[2], read[2]]',
    mended: [
      ['[read[2], read[2]]', '[read[2], read[3]]'],
      ['let coarse', 'enhance.heads = 4; let coarse'],
    ],
  },
  {
    what: 'LGCE: mask and words in the wrong order',
    source: `${lgce}\nmodel Swapped extends LGCE_micro { let coarse = enhance(read[2..4], mask, words) }`,
    code: 'CROB2103',
    at: 'mask',
    mended: [
      ['mask, words', 'words, mask'],
      ['let coarse', 'enhance.heads = 4; let coarse'],
    ],
  },
  {
    what: 'LGCE: maps for the decoder in the wrong order',
    source: `${lgce}\nmodel Order extends LGCE_micro { let maps = [coarse[0], coarse[1], read[0], read[1]] }`,
    code: 'CROB2104',
    at: 'let maps = [coarse[0], coarse[1], read[0], read[1]]',
    mended: [['[coarse[0], coarse[1], read[0], read[1]]', '[read[0], read[1], read[2], coarse[1]]']],
  },
  {
    what: 'LGCE: heads that do not divide the channels of a scale',
    source: `${lgce}\nmodel Heads extends LGCE_micro { enhance.heads = 7 }`,
    code: 'CROB2207',
    at: 'enhance.heads = 7',
    mended: [['= 7', '= 6']],
  },
  {
    what: 'LGCE: a third scale, where there are two',
    source: `${lgce}\nmodel Third extends LGCE_micro { enhance.tokens[2].heads = 4 }`,
    code: 'CROB2310',
    at: 'enhance.tokens[2].heads',
    mended: [['[2]', '[1]']],
  },
  {
    what: 'LGCE: a misspelt parameter',
    source: `${lgce}\nmodel Narrow extends LGCE_micro { enhance.ratio = 2 }`,
    code: 'CROB2301',
    at: 'enhance.ratio',
    help: 'mlp_ratio',
    mended: [['ratio', 'mlp_ratio']],
  },
  {
    what: 'LGCE: a recipe for images of a size that 32 does not divide',
    source: `${lgce}\nrecipe odd for LGCE_micro extends lgce_micro at H = 72 { }`,
    code: 'CROB2207',
    at: 'odd',
    mended: [['= 72', '= 64']],
  },
];
