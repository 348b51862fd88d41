import type { WrongVariant } from './variant.ts';

const cris = 'use models.rivals.cris.{CRIS_micro, cris_micro}';
const etris = 'use models.rivals.etris.{ETRIS_micro, etris_micro}';
const bkinet = 'use models.rivals.bkinet.{BKINet_micro, bkinet_micro}';

/** Wrong variants of models with the encoders of CLIP. */
export const clip: readonly WrongVariant[] = [
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
];
