import type { WrongVariant } from './variant.ts';

const rrn = 'use models.rivals.rrn.{RRN_micro, rrn_micro}';
const cmsa = 'use models.rivals.cmsa.{CMSA_micro, cmsa_micro, with_words}\nuse std.deeplab.{l2_normalize}';
const brinet = 'use models.rivals.brinet.{BRINet_micro, brinet_micro}\nuse std.deeplab.{pixel_loss}';
const lscm = 'use models.rivals.lscm.{LSCM_micro, chain}';
const cmpc =
  'use models.rivals.cmpc.{CMPC_micro, cmpc_micro}\nuse std.cmpc.{phrase_of}\nuse std.deeplab.{l2_normalize}';
const cmpcPlus = 'use models.rivals.cmpc_plus.{CMPCPlus_micro, cmpc_plus_micro}';
const mattnet = 'use models.rivals.mattnet.{MAttNet_micro, mattnet_micro}\nuse std.regions.{spread}';

/** Wrong variants of models with an LSTM over the words. */
export const recurrent: readonly WrongVariant[] = [
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
