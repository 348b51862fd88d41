import { verify } from '../graphs/verify.ts';
import type { Graph } from '../ir/graph.ts';
import type { HalfType } from '../ir/types.ts';
import { arithmeticRules } from './arithmetic.ts';
import { associationRules } from './associate.ts';
import { attentionRules } from './attention.ts';
import { broadcastRules } from './broadcasts.ts';
import { castRules } from './casts.ts';
import { channelRules } from './channels.ts';
import { mergeCommonSubexpressions } from './common-subexpressions.ts';
import { eliminateDeadCode } from './dead-code.ts';
import { foldConstants } from './fold-constants.ts';
import { toHalf } from './half.ts';
import { hoistRules } from './hoist.ts';
import { mixtureRules } from './mixtures.ts';
import { paddingRules } from './padding.ts';
import { productRules } from './product-before-sum.ts';
import { activationRules } from './recognise-activations.ts';
import { normRules } from './recognise-norm.ts';
import { softmaxRules } from './recognise-softmax.ts';
import { reductionRules } from './reductions.ts';
import { reshapeRules } from './reshapes.ts';
import { roundConstants } from './round-constants.ts';
import { applyRules, type Keeps, type Rule, type Trace } from './rule.ts';
import { sliceRules } from './slices.ts';

/** Returns a graph that computes the same as the given one, or the given graph itself if there is nothing to do. */
export type Pass = RewritingPass | WholePass;

interface Placed {
  readonly name: string;
  /** Runs once, after the rounds of the other passes. */
  readonly last?: true;
  /** Runs only for these values of `dtype`. */
  readonly only?: readonly Precision[];
}

/** A pass that applies local rewrites. */
export interface RewritingPass extends Placed {
  readonly rules: readonly Rule[];
}

/** A pass that transforms the graph as a whole. */
export interface WholePass extends Placed {
  readonly keeps: Keeps;
  run(graph: Graph, dtype: Precision): Graph;
}

/** The precision of matrix products and convolutions. */
export type Precision = 'f32' | HalfType;

/** Observes passes as they run. */
export interface PassObserver {
  /** Called with the graph after every pass, for `--print-after` and the tests. */
  readonly after?: (pass: string, graph: Graph) => void;
  /** Called for each rule that fires or does not match, with the reason. */
  readonly trace?: Trace;
}

export interface PipelineOptions extends PassObserver {
  /** Default: f32. */
  readonly dtype?: Precision;
  /**
   * `gradients` for a graph that is still to be differentiated: leaves out rules that change gradients at kinks and
   * ties.
   */
  readonly keeping?: Keeps;
  /** Whether to check every invariant after every pass and to throw at the first pass that violates one. */
  readonly verify?: boolean;
}

const views = [...reshapeRules, ...sliceRules, ...broadcastRules, ...reductionRules];

/** In order. Rewrites that a pass enables for an earlier pass are done in the next round. */
export const pipeline: readonly Pass[] = [
  { name: 'dead-code', keeps: 'gradients', run: eliminateDeadCode },
  { name: 'common-subexpressions', keeps: 'gradients', run: mergeCommonSubexpressions },
  { name: 'fold-constants', keeps: 'gradients', run: foldConstants },
  { name: 'simplify', rules: [...arithmeticRules, ...attentionRules, ...castRules, ...views] },
  {
    name: 'recognise',
    rules: [
      ...[...normRules, ...activationRules, ...softmaxRules],
      ...[...associationRules, ...productRules, ...mixtureRules, ...paddingRules],
    ],
  },
  { name: 'cancel-views', rules: [...channelRules, ...hoistRules, ...views] },
  { name: 'round-constants', last: true, keeps: 'gradients', run: roundConstants },
  {
    name: 'half',
    last: true,
    only: ['f16', 'bf16'],
    keeps: 'values',
    run: (graph, dtype) => (dtype === 'f32' ? graph : toHalf(graph, { type: dtype })),
  },
];

const mostRounds = 3;

/** Runs the default optimisation of a graph, for inference or training. */
export function runPipeline(graph: Graph, options: PipelineOptions = {}): Graph {
  const { dtype = 'f32' } = options;
  const rounds = pipeline.filter((pass) => !pass.last);
  let current = graph;
  const settled = new Map<Pass, Graph>();
  for (let round = 0; round < mostRounds; round++) {
    const before = current;
    for (const pass of rounds) {
      // A pass does nothing on a graph that it returned unchanged.
      if (settled.get(pass) === current) continue;
      current = runPass(pass, current, options);
      settled.set(pass, current);
    }
    if (current === before) break;
  }
  const last = pipeline.filter((pass) => pass.last && (pass.only?.includes(dtype) ?? true));
  return last.reduce((result, pass) => runPass(pass, result, options), current);
}

function runPass(pass: Pass, graph: Graph, options: PipelineOptions): Graph {
  const { after, verify: checked } = options;
  const result = rewritten(pass, graph, options);
  if (checked === true && result !== graph) {
    const broken = verify(result);
    if (broken.length > 0) throw new Error(`bug in crobc: after ${pass.name}, ${broken.join('; ')}`);
  }
  after?.(pass.name, result);
  return result;
}

function rewritten(pass: Pass, graph: Graph, { keeping = 'values', trace, dtype = 'f32' }: PipelineOptions): Graph {
  const allowed = ({ keeps }: Rule | WholePass): boolean => keeping === 'values' || keeps === 'gradients';
  if ('rules' in pass) return applyRules(graph, pass.rules.filter(allowed), trace);
  return allowed(pass) ? pass.run(graph, dtype) : graph;
}
