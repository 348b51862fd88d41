import { compile } from '../../compiler/compile.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { diskHost } from '../../runtime/files/source-host.ts';

/** A model of `models/rivals/`, and what is known of its published code. */
export interface Rival {
  /** The name of its file. */
  readonly file: string;
  readonly model: string;
  /** Its small size, and sizes at which that is built and trained. */
  readonly micro: string;
  readonly sizes: Readonly<Record<'B' | 'H' | 'W' | 'T', number>>;
  /** The learning rate at which the loss of a first batch falls from step to step, if that is not 1e-3. */
  readonly rate?: number;
  /** Settings of the small size that fit those sizes. */
  readonly overrides?: readonly string[];
  /** Weights of the published code, counted with PyTorch; undefined where there is none that could be counted. */
  readonly published: number | undefined;
  /** A part that is not in that number, as its weights come with a file of others. */
  readonly given?: string;
  /** Weights of the published code that are not here, and why. */
  readonly left?: readonly (readonly [count: number, why: string])[];
  /** Settings that images of 480 × 480 pixels and 20 tokens need. */
  readonly large?: readonly string[];
}

const small = { B: 2, H: 64, W: 64, T: 8 } as const;

export const rivals: readonly Rival[] = [
  {
    file: 'lavt',
    model: 'LAVT',
    micro: 'LAVT_micro',
    sizes: small,
    published: 227_739_514,
    left: [[2 * 1024 ** 2, 'nothing reads the gate behind the last stage']],
  },
  {
    file: 'rmsin',
    model: 'RMSIN',
    micro: 'RMSIN_micro',
    sizes: small,
    overrides: ['cim.side = 2'],
    published: 240_037_163,
    left: [[2 * 2 * 1024 ** 2 + 38, 'nothing reads the gates and the second branch behind the last stage']],
  },
  {
    file: 'caris',
    model: 'CARIS',
    micro: 'CARIS_micro',
    sizes: small,
    overrides: ['decoder.layers = 1'],
    published: 226_572_664,
  },
  {
    file: 'crossvlt',
    model: 'CrossVLT',
    micro: 'CrossVLT_micro',
    sizes: small,
    published: 236_711_038,
    left: [[2 * 1024 ** 2, 'nothing reads the gate behind the last stage']],
  },
  {
    file: 'fianet',
    model: 'FIANet',
    micro: 'FIANet_micro',
    sizes: small,
    published: 256_168_626,
    left: [
      [12_854_418, 'nothing reads the gates and the finer readings behind the last stage'],
      [344_064, 'nothing reads `go_embedding`'],
    ],
  },
  {
    file: 'refsegformer',
    model: 'RefSegformer',
    micro: 'RefSegformer_micro',
    sizes: small,
    published: 234_674_945,
    left: [
      [5_512_192, 'nothing reads an attention of words over pixels'],
      [2_176, 'nothing reads a last norm and an embedding'],
    ],
  },
  {
    file: 'lgce',
    model: 'LGCE',
    micro: 'LGCE_micro',
    sizes: small,
    published: undefined,
  },
  {
    file: 'dmmi',
    model: 'DMMI',
    micro: 'DMMI_micro',
    sizes: small,
    published: 340_578_160,
    left: [
      [2 * 1024 ** 2, 'nothing reads the gate behind the last stage'],
      [23_633_664, 'nothing reads the layers that PyTorch copied for the decoder'],
    ],
  },
  {
    file: 'slvit',
    model: 'SLViT',
    micro: 'SLViT_micro',
    sizes: small,
    published: 157_864_194,
    left: [
      [2_082_624, 'nothing reads a projection in each block'],
      [393_728, 'nothing reads a projection of the words in the decoder'],
    ],
  },
  {
    file: 'rrn',
    model: 'RRN',
    micro: 'RRN_micro',
    sizes: small,
    overrides: ['side = 8', 'steps = 8'],
    published: 29_372_501,
    given: 'backbone',
    large: ['side = 60'],
  },
  {
    file: 'cris',
    model: 'CRIS',
    micro: 'CRIS_micro',
    sizes: small,
    published: 161_251_682,
    left: [[1, "nothing reads the scale of CLIP's logits"]],
  },
  {
    file: 'cmsa',
    model: 'CMSA',
    micro: 'CMSA_micro',
    sizes: small,
    published: 40_613_368,
    given: 'backbone',
  },
  {
    file: 'etris',
    model: 'ETRIS',
    micro: 'ETRIS_micro',
    sizes: small,
    rate: 2e-4,
    published: 146_923_938,
    left: [[1, "nothing reads the scale of CLIP's logits"]],
  },
  {
    file: 'bkinet',
    model: 'BKINet',
    micro: 'BKINet_micro',
    sizes: small,
    overrides: ['side = 4'],
    large: ['side = 30'],
    published: 138_541_635,
    left: [
      [14_789_632, "nothing reads the attention pooling of CLIP's image encoder"],
      [262_656, 'nothing reads an attention over the channels of the sentence'],
      [2_048, 'nothing reads two norms'],
      [-39_424, 'the table of positions is no weight there'],
    ],
  },
  {
    file: 'brinet',
    model: 'BRINet',
    micro: 'BRINet_micro',
    sizes: small,
    overrides: ['side = 8', 'steps = 8'],
    published: 198_680_148,
    given: 'backbone',
    large: ['side = 60'],
  },
  {
    file: 'lscm',
    model: 'LSCM',
    micro: 'LSCM_micro',
    sizes: small,
    overrides: ['side = 8', 'steps = 8'],
    published: 88_285_105,
    given: 'backbone',
    large: ['side = 60', 'steps = 20'],
  },
  {
    file: 'cmpc',
    model: 'CMPC',
    micro: 'CMPC_micro',
    sizes: small,
    overrides: ['side = 8', 'steps = 8'],
    published: 76_055_608,
    given: 'backbone',
    large: ['side = 60'],
  },
  {
    file: 'cmpc_plus',
    model: 'CMPCPlus',
    micro: 'CMPCPlus_micro',
    sizes: small,
    overrides: ['side = 8', 'steps = 8'],
    published: undefined,
    large: ['side = 60'],
  },
  {
    file: 'mattnet',
    model: 'MAttNet',
    micro: 'MAttNet_micro',
    sizes: small,
    overrides: ['steps = 8'],
    published: 13_955_164,
    given: 'mrcn',
  },
];

const host = diskHost();

/** The graph of a rival, which must compile without a message. */
export function graphOf(file: string, model: string, options: Partial<Parameters<typeof compile>[2]> = {}): Graph {
  const given = { model, dims: new Map(), overrides: [], ...options };
  const { graph, diagnostics } = compile(host, `models/rivals/${file}.crob`, given);
  if (!graph || diagnostics.length > 0) throw new Error(diagnostics.map((d) => `${d.code} ${d.message}`).join('\n'));
  return graph;
}
