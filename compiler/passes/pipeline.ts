import { verify } from '../graphs/verify.ts';
import type { Graph } from '../ir/graph.ts';
import { arithmeticRules } from './arithmetic.ts';
import { associationRules } from './associate.ts';
import { attentionRules } from './attention.ts';
import { broadcastRules } from './broadcasts.ts';
import { castRules } from './casts.ts';
import { mergeCommonSubexpressions } from './common-subexpressions.ts';
import { eliminateDeadCode } from './dead-code.ts';
import { foldConstants } from './fold-constants.ts';
import { toHalf } from './half.ts';
import { hoistRules } from './hoist.ts';
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

/** A graph for a graph that computes the same; the graph itself when there is nothing to do. */
export type Pass = RewritingPass | WholePass;

interface Placed {
  readonly name: string;
  /** Runs once, after the rounds of the others. */
  readonly last?: true;
  /** Runs for this `dtype` alone. */
  readonly only?: Precision;
}

/** A walk of local rewrites. */
export interface RewritingPass extends Placed {
  readonly rules: readonly Rule[];
}

/** A pass that looks at the graph as a whole. */
export interface WholePass extends Placed {
  readonly keeps: Keeps;
  run(graph: Graph): Graph;
}

/** What products of matrices and convolutions are computed in. */
export type Precision = 'f32' | 'f16';

/** Looks on while passes run. */
export interface PassObserver {
  /** Sees the graph after every pass, for `--print-after` and the tests. */
  readonly after?: (pass: string, graph: Graph) => void;
  /** Hears which rules fired, and why the others did not. */
  readonly trace?: Trace;
}

export interface PipelineOptions extends PassObserver {
  /** f32 when not given. */
  readonly dtype?: Precision;
  /** `gradients` for a graph that is still to be differentiated: what changes them at kinks and ties is left out. */
  readonly keeping?: Keeps;
  /** Checks every invariant after every pass, and throws at the pass that breaks one. */
  readonly verify?: boolean;
}

const views = [...reshapeRules, ...sliceRules, ...broadcastRules, ...reductionRules];

/** In order. What one pass leaves to an earlier one is seen to in another round. */
export const pipeline: readonly Pass[] = [
  { name: 'dead-code', keeps: 'gradients', run: eliminateDeadCode },
  { name: 'common-subexpressions', keeps: 'gradients', run: mergeCommonSubexpressions },
  { name: 'fold-constants', keeps: 'gradients', run: foldConstants },
  { name: 'simplify', rules: [...arithmeticRules, ...attentionRules, ...castRules, ...views] },
  {
    name: 'recognise',
    rules: [...normRules, ...activationRules, ...softmaxRules, ...associationRules, ...productRules, ...paddingRules],
  },
  { name: 'cancel-views', rules: [...hoistRules, ...views] },
  { name: 'round-constants', last: true, keeps: 'gradients', run: roundConstants },
  { name: 'half', last: true, only: 'f16', keeps: 'values', run: toHalf },
];

const mostRounds = 3;

/** The default optimisation of a graph for inference or training. */
export function runPipeline(graph: Graph, options: PipelineOptions = {}): Graph {
  const { dtype = 'f32' } = options;
  const rounds = pipeline.filter((pass) => !pass.last);
  let current = graph;
  const settled = new Map<Pass, Graph>();
  for (let round = 0; round < mostRounds; round++) {
    const before = current;
    for (const pass of rounds) {
      // A pass that has seen the graph already, as its own result, has nothing to add.
      if (settled.get(pass) === current) continue;
      current = runPass(pass, current, options);
      settled.set(pass, current);
    }
    if (current === before) break;
  }
  const last = pipeline.filter((pass) => pass.last && (pass.only ?? dtype) === dtype);
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

function rewritten(pass: Pass, graph: Graph, { keeping = 'values', trace }: PipelineOptions): Graph {
  const allowed = ({ keeps }: Rule | WholePass): boolean => keeping === 'values' || keeps === 'gradients';
  if ('rules' in pass) return applyRules(graph, pass.rules.filter(allowed), trace);
  return allowed(pass) ? pass.run(graph) : graph;
}
