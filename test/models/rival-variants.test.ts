// slow: checks wrong variants of every rival

import { expect, test } from 'vitest';
import { diagnosticsOf } from '../../compiler/check/diagnostics-of.ts';
import { nothingChecked, recheck } from '../../compiler/check/recheck.ts';
import { compile } from '../../compiler/compile.ts';
import { type Diagnostic, isError } from '../../compiler/diagnostics/diagnostic.ts';
import { diskHost } from '../../runtime/files/source-host.ts';

/** A variant with a mistake, and what mends it. */
interface Wrong {
  readonly what: string;
  readonly source: string;
  readonly code: string;
  /** What is underlined. */
  readonly at: string;
  /** A part of the help, if there is one to follow. */
  readonly help?: string;
  /** What the mistake is replaced by; following the help must be enough. */
  readonly mended: readonly (readonly [wrong: string, right: string])[];
}

const lavt =
  'use models.rivals.lavt.{LAVT_micro, lavt_micro}\nuse std.lavt.{GatedFusion, MapConv, object_logit, reading_stages}';
const rmsin = 'use models.rivals.rmsin.{CrossScale, RMSIN_micro, rmsin_micro}\nuse std.lavt.{reading_stages}';
const caris = 'use models.rivals.caris.{CARIS_micro, caris_micro}\nuse std.lavt.{object_logit}';
const crossvlt = 'use models.rivals.crossvlt.{CrossVLT_micro, crossvlt_micro}';
const fianet = 'use models.rivals.fianet.{FIANet_micro, fianet_micro}';
const refsegformer = 'use models.rivals.refsegformer.{RefSegformer_micro, refsegformer_micro}';
const lgce = 'use models.rivals.lgce.{CrossScaleGuides, LGCE_micro, lgce_micro}';
const dmmi = 'use models.rivals.dmmi.{DMMI_micro, dmmi_micro}\nuse std.lavt.{object_logit, reading_stages}';
const slvit = 'use models.rivals.slvit.{SLViT_micro, slvit_micro}\nuse std.lavt.{object_logit}';
const rrn = 'use models.rivals.rrn.{RRN_micro, rrn_micro}';
const cris = 'use models.rivals.cris.{CRIS_micro, cris_micro}';
const cmsa = 'use models.rivals.cmsa.{CMSA_micro, cmsa_micro, with_words}\nuse std.deeplab.{l2_normalize}';
const etris = 'use models.rivals.etris.{ETRIS_micro, etris_micro}';
const bkinet = 'use models.rivals.bkinet.{BKINet_micro, bkinet_micro}';
const brinet = 'use models.rivals.brinet.{BRINet_micro, brinet_micro}\nuse std.deeplab.{pixel_loss}';
const lscm = 'use models.rivals.lscm.{LSCM_micro, chain}';
const cmpc =
  'use models.rivals.cmpc.{CMPC_micro, cmpc_micro}\nuse std.cmpc.{phrase_of}\nuse std.deeplab.{l2_normalize}';
const cmpcPlus = 'use models.rivals.cmpc_plus.{CMPCPlus_micro, cmpc_plus_micro}';
const mattnet = 'use models.rivals.mattnet.{MAttNet_micro, mattnet_micro}\nuse std.regions.{spread}';
const stages = 'reading_stages(backbone, fusions, text.dim, image, words, mask)';

const variants: readonly Wrong[] = [
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
    what: 'CARIS: a width that the groups do not divide',
    source: `${caris}\nmodel Groups extends CARIS_micro { decoder.dim = 60 }`,
    code: 'CROB2207',
    at: 'decoder.dim = 60',
    mended: [['60', '72']],
  },
  {
    what: 'CARIS: heads that do not divide the width',
    source: `${caris}\nmodel Heads extends CARIS_micro { decoder.heads = 9 }`,
    code: 'CROB2207',
    at: 'decoder.heads = 9',
    mended: [['= 9', '= 8']],
  },
  {
    what: 'CARIS: the mask of the words for words and prompts',
    source: `${caris}\nmodel Masked extends CARIS_micro { let words = text.encode(concat([text.embed(tokens), prompts(maps[3])], "b * d"), mask) }`,
    code: 'CROB2104',
    at: 'mask',
    mended: [
      ['"b * d"), mask)', '"b * d"), seen)'],
      ['let words', 'decoder.layers = 1; let words'],
    ],
  },
  {
    what: 'CARIS: prompts from the finest map',
    source: `${caris}\nmodel Finest extends CARIS_micro { let words = text.encode(concat([text.embed(tokens), prompts(maps[0])], "b * d"), seen) }`,
    code: 'CROB2104',
    at: 'maps[0]',
    mended: [['let words', 'prompts.channels = backbone.channels[0]; let words']],
  },
  {
    what: 'CARIS: the decoder reads words and prompts with the mask of the words',
    source: `${caris}\nmodel All extends CARIS_micro { output logits: f32[B, 1, H, W] = object_logit(decoder(maps, words, mask), [H, W]) }`,
    code: 'CROB2104',
    at: 'mask',
    mended: [['words, mask', 'words, seen']],
  },
  {
    what: 'CARIS: more prompts than its pools give',
    source: `${caris}\nmodel Ten extends CARIS_micro { prompts.count = 10 }`,
    code: 'CROB2311',
    at: 'prompts.count',
    mended: [['prompts.count', 'decoder.prompts']],
  },
  {
    what: 'CARIS: two groups for the same weights, of which the second has no effect',
    source: `${caris}\nrecipe slow for CARIS_micro extends caris_micro { group text.* { lr = 0.1x }; group text.layers[0].* { lr = 0.5x } }`,
    code: 'CROB2328',
    at: 'text.layers[0].*',
    mended: [
      [
        'group text.* { lr = 0.1x }; group text.layers[0].* { lr = 0.5x }',
        'group text.layers[0].* { lr = 0.5x }; group text.* { lr = 0.1x }',
      ],
    ],
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
    what: 'RefSegformer: heads that do not divide the channels of a stage',
    source: `${refsegformer}\nmodel Heads extends RefSegformer_micro { heads = [4, 8, 10] }`,
    code: 'CROB2207',
    at: 'heads = [4, 8, 10]',
    mended: [['10', '16']],
  },
  {
    what: 'RefSegformer: heads of two stages',
    source: `${refsegformer}\nmodel Two extends RefSegformer_micro { heads = [4, 8] }`,
    code: 'CROB2201',
    at: '[4, 8]',
    mended: [['[4, 8]', '[4, 8, 16]']],
  },
  {
    what: 'RefSegformer: fewer tokens than those without an object',
    source: `${refsegformer}\nmodel Few extends RefSegformer_micro { count = 10 }`,
    code: 'CROB2120',
    at: 'count = 10',
    mended: [['10', '12']],
  },
  {
    what: 'RefSegformer: tokens of one stage by hand',
    source: `${refsegformer}\nmodel Own extends RefSegformer_micro { fusions[1].tokens = 8 }`,
    code: 'CROB2104',
    at: 'fusions[1].tokens = 8',
    mended: [
      ['= 8', '= 4'],
      ['fusions[1].tokens = 4', 'fusions[1].heads = 4'],
    ],
  },
  {
    what: 'RefSegformer: the existence by the tokens of another stage',
    source: `${refsegformer}\nmodel Other extends RefSegformer_micro { output exists: f32[B, 1] = existence(y, memory[2]) }`,
    code: 'CROB2104',
    at: 'memory[2]',
    mended: [['memory[2]', 'stop_gradient(memory[0])']],
  },
  {
    what: 'RefSegformer: the loss of a fourth coarse map',
    source: `${refsegformer}\nrecipe four for RefSegformer_micro extends refsegformer_micro { term more = cross_entropy(coarse_3, target) }`,
    code: 'CROB2001',
    at: 'coarse_3',
    mended: [['coarse_3', 'coarse_2']],
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
  {
    what: 'RIS-DMMI: heads of the decoder that do not divide the width of words',
    source: `${dmmi}\nmodel Heads extends DMMI_micro { decoder.heads = 5 }`,
    code: 'CROB2207',
    at: 'decoder.heads = 5',
    mended: [['= 5', '= 8']],
  },
  {
    what: "RIS-DMMI: LAVT's way through the stages, which does not update the words",
    source: `${dmmi}\nmodel Lavt extends DMMI_micro { let (maps, words) = reading_stages(backbone, fusions, text.dim, image, first, mask) }`,
    code: 'CROB2201',
    at: 'fusions',
    mended: [
      ['let (maps, words) = reading_stages(backbone, fusions, text.dim, image, first, mask)', 'decoder.hidden = 64'],
    ],
  },
  {
    what: 'RIS-DMMI: an even kernel',
    source: `${dmmi}\nmodel Kernel extends DMMI_micro { fusions[0].attend.pixel3.kernel = 4 }`,
    code: 'CROB2207',
    at: 'fusions[0].attend.pixel3.kernel = 4',
    mended: [['kernel = 4', 'kernel = 5']],
  },
  {
    what: 'RIS-DMMI: channels that cannot be divided by five',
    source: `${dmmi}\nmodel Divisor extends DMMI_micro { fusions[1].attend.pixel5.divisor = 5 }`,
    code: 'CROB2207',
    at: 'fusions[1].attend.pixel5.divisor = 5',
    mended: [['divisor = 5', 'divisor = 6']],
  },
  {
    what: 'RIS-DMMI: a reach of four words, which is not defined',
    source: `${dmmi}\nmodel Reach extends DMMI_micro { fusions[1].attend.word3.reach = 4 }`,
    code: 'CROB2207',
    at: 'fusions[1].attend.word3.reach = 4',
    mended: [['reach = 4', 'reach = 2']],
  },
  {
    what: 'RIS-DMMI: a gate behind the last stage, which nothing reads',
    source: `${dmmi}\nmodel Gate extends DMMI_micro { fusions[3].last = false }`,
    code: 'CROB2317',
    at: 'fusions[3].last = false',
    mended: [['fusions[3].last = false', 'decoder.hidden = 64']],
  },
  {
    what: 'RIS-DMMI: restored words in place of scores',
    source: `${dmmi}\nmodel Words extends DMMI_micro { output logits: f32[B, 1, H, W] = object_logit(rebuilt, [H, W]) }`,
    code: 'CROB2102',
    at: 'rebuilt',
    mended: [
      ['rebuilt', 'scores'],
      ['output', 'decoder.heads = 2; output'],
    ],
  },
  {
    what: 'RIS-DMMI: phrases that have no word beside [CLS] and [SEP]',
    source: `${dmmi}\nrecipe short for DMMI_micro extends dmmi_micro at T = 2 { }`,
    code: 'CROB2207',
    at: 'short',
    mended: [['T = 2', 'T = 3']],
  },
  {
    what: 'RIS-DMMI: a matrix as a loss',
    source: `${dmmi}\nrecipe raw for DMMI_micro extends dmmi_micro { term match = match }`,
    code: 'CROB2324',
    at: 'match',
    help: 'mean',
    mended: [['= match }', '= mean(match, "b c -> ") }']],
  },
  {
    what: 'RIS-DMMI: a decoder of another width than the words',
    source: `${dmmi}\nmodel Wide extends DMMI_micro { decoder.dim = 128 }`,
    code: 'CROB2104',
    at: 'decoder.dim = 128',
    mended: [['dim = 128', 'hidden = 256']],
  },
  {
    what: 'RIS-DMMI: a gate to leave untrained that is not there',
    source: `${dmmi}\nrecipe fixed for DMMI_micro extends dmmi_micro { train all except fusions[3].gate }`,
    code: 'CROB2322',
    at: 'fusions[3].gate',
    mended: [['fusions[3]', 'fusions[2]']],
  },
  {
    what: 'SLViT: no region',
    source: `${slvit}\nmodel None extends SLViT_micro { topk = 0 }`,
    code: 'CROB2115',
    at: 'topk = 0',
    mended: [['= 0', '= 1']],
  },
  {
    what: 'SLViT: more regions than a recipe has pixels for',
    source: `${slvit}\nrecipe small for SLViT_micro extends slvit_micro at H = 32, W = 64 { }`,
    code: 'CROB2207',
    at: 'small',
    mended: [['H = 32', 'H = 64']],
  },
  {
    what: 'SLViT: a stage without blocks',
    source: `${slvit}\nmodel Empty extends SLViT_micro { backbone.depths = [1, 0, 2, 1] }`,
    code: 'CROB2207',
    at: 'backbone.depths = [1, 0, 2, 1]',
    mended: [['[1, 0, 2, 1]', '[1, 2, 2, 1]']],
  },
  {
    what: 'SLViT: channels of which the stem takes half',
    source: `${slvit}\nmodel Odd extends SLViT_micro { channels = [15, 24, 32, 48] }`,
    code: 'CROB2207',
    at: 'channels = [15, 24, 32, 48]',
    mended: [
      ['15', '12'],
      ['32', '36'],
    ],
  },
  {
    what: 'SLViT: heads that do not divide the width of a region',
    source: `${slvit}\nmodel Heads extends SLViT_micro { enhance.heads = 5 }`,
    code: 'CROB2207',
    at: 'enhance.heads = 5',
    mended: [['= 5', '= 8']],
  },
  {
    what: 'SLViT: groups of the decoder that do not divide its channels',
    source: `${slvit}\nmodel Groups extends SLViT_micro { decoder.groups = 7 }`,
    code: 'CROB2207',
    at: 'decoder.groups = 7',
    mended: [['= 7', '= 16']],
  },
  {
    what: 'SLViT: scores in place of maps',
    source: `${slvit}\nmodel Swapped extends SLViT_micro { output logits: f32[B, 1, H, W] = object_logit(decoder(enhance(scores, maps)), [H, W]) }`,
    code: 'CROB2102',
    at: 'scores',
    mended: [
      ['scores, maps', 'maps, scores'],
      ['output', 'decoder.rank = 8; output'],
    ],
  },
  {
    what: 'SLViT: a strip of even width, which would shift the map',
    source: `${slvit}\nmodel Even extends SLViT_micro { backbone.stages[0].block[0].gating.rows[0].width = 8 }`,
    code: 'CROB2207',
    at: 'backbone.stages[0].block[0].gating.rows[0].width = 8',
    mended: [['width = 8', 'width = 9']],
  },
  {
    what: 'SLViT: four bands for the encoder and three in the image',
    source: `${slvit}\nmodel Bands extends SLViT_micro { backbone.bands = 4; input image: f32[B, 3, H, W] }`,
    code: 'CROB2104',
    at: 'input image: f32[B, 3, H, W]',
    mended: [['f32[B, 3', 'f32[B, 4']],
  },
  {
    what: 'SLViT: drop path that drops everything',
    source: `${slvit}\nmodel Dropped extends SLViT_micro { backbone.drop_path = 1.0 }`,
    code: 'CROB2207',
    at: 'backbone.drop_path = 1.0',
    mended: [['1.0', '0.5']],
  },
  {
    what: 'RRN: another size of images than its cells see',
    source: `${rrn}\nrecipe larger for RRN_micro extends rrn_micro at H = 160, W = 160 { }`,
    code: 'CROB2207',
    at: 'larger',
    mended: [['recipe larger for RRN_micro', 'model Larger extends RRN_micro { side = 20 }\nrecipe larger for Larger']],
  },
  {
    what: 'RRN: a fifth map for an LSTM of four steps',
    source: `${rrn}\nmodel Five extends RRN_micro { let refined = cell([relu(fusion(seen)), levels[2], levels[1], levels[0], levels[1]]) }`,
    code: 'CROB2102',
    at: '[relu(fusion(seen)), levels[2], levels[1], levels[0], levels[1]]',
    mended: [['let refined', 'cell.steps = 5; let refined']],
  },
  {
    what: 'RRN: words narrower than the LSTM takes them',
    source: `${rrn}\nmodel Words extends RRN_micro { embedding.dim = 32 }`,
    code: 'CROB2104',
    at: 'embedding.dim = 32',
    mended: [['embedding.dim = 32', 'dim = 32']],
  },
  {
    what: 'CRIS: BERT, which has no vector of the sentence',
    source: `${cris}\nuse std.text.{BertMicro}\nmodel Bert extends CRIS_micro { text = BertMicro() }`,
    code: 'CROB2201',
    at: 'BertMicro()',
    mended: [
      ['std.text.{BertMicro}', 'std.clip.{ClipTextMicro}'],
      ['BertMicro()', 'ClipTextMicro(vocab = 3000)'],
    ],
  },
  {
    what: 'CRIS: a decoder of another width than the words',
    source: `${cris}\nmodel Narrow extends CRIS_micro { decoder.dim = 32 }`,
    code: 'CROB2104',
    at: 'decoder.dim = 32',
    mended: [['dim = 32', 'hidden = 32']],
  },
  {
    what: 'CRIS: the loss of a quarter of the size against the whole mask',
    source: `${cris}\nrecipe whole for CRIS_micro extends cris_micro { term bce = cross_entropy(coarse, target) }`,
    code: 'CROB2104',
    at: 'target',
    mended: [['coarse, target', 'logits, target']],
  },
  {
    what: 'CRIS: a neck for the four maps of the backbone',
    source: `${cris}\nmodel Four extends CRIS_micro { let joined = neck(maps, sentence) }`,
    code: 'CROB2102',
    at: 'maps',
    mended: [
      ['neck(maps, sentence)', 'neck([maps[1], maps[2], pool(maps[3])], sentence)'],
      ['let joined', 'pool.heads = 2; let joined'],
    ],
  },
  {
    what: 'CMSA: a map that cannot be halved',
    source: `${cmsa}\nrecipe odd for CMSA_micro extends cmsa_micro at H = 104 { }`,
    code: 'CROB2207',
    at: 'odd',
    mended: [['H = 104', 'H = 112']],
  },
  {
    what: 'CMSA: pixels without words',
    source: `${cmsa}\nmodel Wordless extends CMSA_micro { let coarsest = l2_normalize(mlp_c5(maps[3])) }`,
    code: 'CROB2102',
    at: 'let coarsest = l2_normalize(mlp_c5(maps[3]))',
    mended: [['l2_normalize(mlp_c5(maps[3]))', 'with_words(mlp_c5(maps[3]), words)']],
  },
  {
    what: 'CMSA: maps one stage too fine',
    source: `${cmsa}\nmodel Finer extends CMSA_micro { let finest = [relu(narrow[i](with_words(maps[i], words))) for i in 0..2] }`,
    code: 'CROB2104',
    at: 'with_words(maps[i], words)',
    mended: [['maps[i]', 'maps[i+1]']],
  },
  {
    what: 'CMSA: one gate of three',
    source: `${cmsa}\nmodel One extends CMSA_micro { let joined = gate[2](x[2], x[1], x[0]) }`,
    code: 'CROB2304',
    at: 'let joined = gate[2](x[2], x[1], x[0])',
    mended: [['x[0]) }', 'x[0]) + gate[1](x[1], x[2], x[0]) - gate[0](x[0], x[2], x[1]) }']],
  },
  {
    what: 'ETRIS: layers of text that three bridges do not divide',
    source: `${etris}\nmodel Deep extends ETRIS_micro { text.depth = 4 }`,
    code: 'CROB2207',
    at: 'text.depth = 4',
    mended: [['= 4', '= 6']],
  },
  {
    what: 'ETRIS: heads that do not divide the width of the bridges',
    source: `${etris}\nmodel Heads extends ETRIS_micro { bridger.heads = 3 }`,
    code: 'CROB2207',
    at: 'bridger.heads = 3',
    mended: [['= 3', '= 2']],
  },
  {
    what: 'ETRIS: bridges at the first three of four maps',
    source: `${etris}\nmodel Fine extends ETRIS_micro { bridger.channels = backbone.channels[0..3] }`,
    code: 'CROB2104',
    at: 'bridger.channels = backbone.channels[0..3]',
    mended: [['bridger.channels = backbone.channels[0..3]', 'bridger.hidden = 64']],
  },
  {
    what: 'ETRIS: words before the last norm in place of the sentence',
    source: `${etris}\nmodel Words extends ETRIS_micro { let joined = neck([maps[0], maps[1], pool(maps[2])], read) }`,
    code: 'CROB2102',
    at: 'read',
    mended: [
      [', read)', ', sentence)'],
      ['let joined', 'pool.heads = 2; let joined'],
    ],
  },
  {
    what: 'BKINet: another size of images',
    source: `${bkinet}\nrecipe larger for BKINet_micro extends bkinet_micro at H = 160, W = 160 { }`,
    code: 'CROB2207',
    at: 'larger',
    mended: [['H = 160, W = 160', 'H = 128, W = 128']],
  },
  {
    what: 'BKINet: the side of one part without those of the others',
    source: `${bkinet}\nmodel Fine extends BKINet_micro { applying.side = 10 }`,
    code: 'CROB2108',
    at: 'applying.side = 10',
    mended: [['applying.side = 10', 'kernels = 8']],
  },
  {
    what: 'BKINet: more kernels than are applied',
    source: `${bkinet}\nmodel Many extends BKINet_micro { query_generator.kernels = 8 }`,
    code: 'CROB2104',
    at: 'query_generator.kernels = 8',
    mended: [['query_generator.kernels', 'kernels']],
  },
  {
    what: 'BKINet: words in place of the sentence',
    source: `${bkinet}\nmodel Words extends BKINet_micro { let (seen, features) = joins(maps[1..4], words) }`,
    code: 'CROB2102',
    at: 'words',
    mended: [['maps[1..4], words', 'maps[1..4], text.norm(words[:, T-1, :])']],
  },
  {
    what: 'BRINet: logits of stride 8 against the whole mask',
    source: `${brinet}\nrecipe fine for BRINet_micro extends brinet_micro { term ce = pixel_loss(coarse_0, target) }`,
    code: 'CROB2104',
    at: 'target',
    mended: [['coarse_0, target', 'coarse_0, small']],
  },
  {
    what: 'BRINet: the phrase in place of its words',
    source: `${brinet}\nmodel Phrase extends BRINet_micro { let x = [level[i](y, phrase) for i, y in seen] }`,
    code: 'CROB2102',
    at: 'phrase',
    mended: [['y, phrase', 'y, states']],
  },
  {
    what: 'BRINet: an even kernel, which would shift the map',
    source: `${brinet}\nmodel Even extends BRINet_micro { finer[0].gate.kernel = 2 }`,
    code: 'CROB2207',
    at: 'finer[0].gate.kernel = 2',
    mended: [['= 2', '= 5']],
  },
  {
    what: 'LSCM: one tree for all samples without the axis of the batch',
    source: `${lscm}\nmodel Trees extends LSCM_micro { let tree = chain(T) }`,
    code: 'CROB2102',
    at: 'let tree = chain(T)',
    mended: [['let tree = chain(T)', 'without tree; input tree: f32[B, T, T]']],
  },
  {
    what: 'LSCM: from coarse to fine, and not back',
    source: `${lscm}\nmodel Once extends LSCM_micro { let joined = cell([y[3], y[2], y[1], y[0]]) }`,
    code: 'CROB2102',
    at: '[y[3], y[2], y[1], y[0]]',
    mended: [['let joined', 'cell.steps = 4; let joined']],
  },
  {
    what: 'LSCM: the finest map, not halved',
    source: `${lscm}\nmodel Whole extends LSCM_micro { lateral[0].stride = 1 }`,
    code: 'CROB2104',
    at: 'lateral[0].stride = 1',
    mended: [['stride = 1', 'kernel = 5']],
  },
  {
    what: 'CMPC: images of another size, which a weight for each pixel does not fit',
    source: `${cmpc}\nrecipe larger for CMPC_micro extends cmpc_micro at H = 160, W = 160 { }`,
    code: 'CROB2207',
    at: 'larger',
    mended: [['H = 160, W = 160', 'H = 128, W = 128']],
  },
  {
    what: 'CMPC: words as a list, where they are a map of one row',
    source: `${cmpc}\nmodel Rows extends CMPC_micro { let words = l2_normalize(states) }`,
    code: 'CROB2102',
    at: 'let words = l2_normalize(states)',
    mended: [['l2_normalize(states)', 'l2_normalize(rearrange(states, "b t d -> b d 1 t"))']],
  },
  {
    what: 'CMPC: a fifth type of words',
    source: `${cmpc}\nmodel Fifth extends CMPC_micro { let named = phrase_of(words, types[:, 0, :] + types[:, 4, :]) }`,
    code: 'CROB2111',
    at: '4',
    mended: [['types[:, 4, :]', 'types[:, 2, :]']],
  },
  {
    what: 'CMPC: two maps in an exchange of three',
    source: `${cmpc}\nmodel Two extends CMPC_micro { let exchanged = rounds([seen[0].map, seen[1].map], needed) }`,
    code: 'CROB2102',
    at: '[seen[0].map, seen[1].map]',
    mended: [['[seen[0].map, seen[1].map]', '[seen[0].map, seen[1].map, seen[1].map]']],
  },
  {
    what: 'CMPC: the convolutional LSTM alone for smaller maps',
    source: `${cmpc}\nmodel Cell extends CMPC_micro { cell.side = 8 }\nrecipe cell for Cell extends cmpc_micro at H = 64, W = 64 { }`,
    code: 'CROB2108',
    at: 'cell.side = 8',
    mended: [['cell.side = 8', 'side = 8']],
  },
  {
    what: 'CMPC+: a word for what is joined that is none of the two',
    source: `${cmpcPlus}\nmodel Vision extends CMPCPlus_micro { levels[*].joined = "vision" }`,
    code: 'CROB2201',
    at: '"vision"',
    mended: [
      ['levels[*]', 'levels[0]'],
      ['"vision"', '"entities"'],
    ],
  },
  {
    what: 'CMPC+: maps of the wrong stages',
    source: `${cmpcPlus}\nmodel Finer extends CMPCPlus_micro { let seen = [level(maps[i], words, types, mask, named, needed) for i, level in levels] }`,
    code: 'CROB2104',
    at: 'maps[i]',
    mended: [
      ['maps[i]', 'maps[i+1]'],
      ['let seen', 'levels[0].joined = "entities"; let seen'],
    ],
  },
  {
    what: 'MAttNet: fewer regions than are compared with each',
    source: `${mattnet}\nmodel Few extends MAttNet_micro { grids = [2] }`,
    code: 'CROB2108',
    at: 'grids = [2]',
    mended: [['[2]', '[2, 3]']],
  },
  {
    what: 'MAttNet: the masks of all regions in place of the best',
    source: `${mattnet}\nmodel All extends MAttNet_micro { output logits: f32[B, 1, H, W] = spread(masks, matmul(best, boxes), 14, [H, W], -5.0) }`,
    code: 'CROB2102',
    at: 'masks',
    mended: [['masks', 'best_mask']],
  },
  {
    what: 'MAttNet: words of attributes that no output reads',
    source: `${mattnet}\nmodel Words extends MAttNet_micro { match.words = 20 }`,
    code: 'CROB2304',
    at: 'match.words = 20',
    mended: [
      ['= 20 }', '= 20; output(train) attributes = match.sub_encoder.attributes(looks) }'],
      [
        'attributes(looks) }',
        'attributes(looks) }\nrecipe words for Words extends mattnet_micro { term a = mean(attributes, "b n a ->") }',
      ],
    ],
  },
  {
    what: 'MAttNet: the two maps of regions in the wrong order',
    source: `${mattnet}\nmodel Swapped extends MAttNet_micro { let (scores) = match(phrases, weights, fc7, pool5, near, places, beside) }`,
    code: 'CROB2104',
    at: 'fc7',
    mended: [
      ['fc7, pool5', 'pool5, fc7'],
      ['let (scores)', 'match.dim = 32; let (scores)'],
    ],
  },
  {
    what: 'MAttNet: a batch of one, in which there is no other phrase',
    source: `${mattnet}\nrecipe single for MAttNet_micro extends mattnet_micro at B = 1 { }`,
    code: 'CROB2207',
    at: 'single',
    mended: [['B = 1', 'B = 2']],
  },
];

const file = 'variant.crob';
const disk = diskHost();
const hostOf = (source: string) => ({ ...disk, read: (path: string) => (path === file ? source : disk.read(path)) });

let before = nothingChecked;
/** Checks a source as `check --watch` does, which elaborates the models that many variants extend once. */
function diagnosticsIn(source: string): readonly Diagnostic[] {
  before = recheck(hostOf(source), [file], before);
  return diagnosticsOf(before.checks);
}

test.each(variants)('$what', ({ source, code, at, help, mended }) => {
  const host = hostOf(source);
  const errors = diagnosticsIn(source);
  const [first] = errors;
  expect(first && { code: first.code, at: source.slice(first.span.start, first.span.end) }, first?.message).toEqual({
    code,
    at,
  });
  // Whatever else is wrong comes of the same mistake.
  for (const { span } of errors) expect(span.file).toBe(file);
  expect(first!.help ?? '').toContain(help ?? '');
  // Sizes at which it is said to fail are sizes at which it fails.
  for (const detail of first!.details) {
    if (typeof detail !== 'string') continue;
    const witness = /^fails at (.*?)(?: \(|;|$)/.exec(detail)?.[1];
    const model = [...source.matchAll(/^model (\w+)/gm)].at(-1)?.[1];
    if (witness === undefined || model === undefined) continue;
    const dims = new Map([...witness.matchAll(/(\w+) = (\d+)/g)].map(([, name, n]) => [name!, Number(n)] as const));
    expect(dims.size, detail).toBeGreaterThan(0);
    const at = compile(host, file, { model, dims, overrides: [] });
    expect(at.diagnostics.filter(isError).length, detail).toBeGreaterThan(0);
  }
  let right = source;
  for (const [from, to] of mended) {
    expect(right).toContain(from);
    right = right.replace(from, to);
  }
  const left = diagnosticsIn(right).filter((one) => isError(one) || one.code === code);
  expect(left.map((one) => `${one.code} ${one.message}`)).toEqual([]);
});
