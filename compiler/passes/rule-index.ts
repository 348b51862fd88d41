import type { Node, NodeOp } from '../ir/graph.ts';
import { numberOps } from './match.ts';
import { type Form, type Operands, rootsOf } from './patterns/pattern.ts';

/** The parts of a rewrite and of a rule that the index reads. */
interface Formed {
  readonly form: Form;
}
interface Rewriting<W extends Formed> {
  readonly rewrites: readonly W[];
}

/** A rule with those of its rewrites that can match a node. */
export interface Candidate<W extends Formed, R extends Rewriting<W>> {
  readonly rule: R;
  readonly rewrites: readonly W[];
}

/** The operators of a node and of its first two operands. */
type Shape = readonly [op: NodeOp, first: NodeOp | undefined, second: NodeOp | undefined];

type ByOperator<T> = Map<NodeOp | undefined, T>;

/**
 * Indexes rules by the operators of a node and of its first two operands, which leaves few rules to try. The candidates
 * for a combination are computed when it first occurs.
 */
export class RuleIndex<W extends Formed, R extends Rewriting<W>> {
  private readonly roots: ReadonlyMap<NodeOp, readonly Candidate<W, R>[]>;
  private readonly known = new Map<NodeOp, ByOperator<ByOperator<readonly Candidate<W, R>[]>>>();

  constructor(rules: readonly R[]) {
    this.roots = byRoot(rules);
  }

  /** Returns the rules whose root has the operator of a node, in order. */
  atRoot({ op }: Node): readonly Candidate<W, R>[] {
    return this.roots.get(op) ?? [];
  }

  /** Returns those of them that can also match the operators of its operands. */
  at({ op, inputs }: Node): readonly Candidate<W, R>[] {
    const rules = this.roots.get(op);
    if (rules === undefined) return [];
    const [first, second] = [inputs[0]?.node.op, inputs[1]?.node.op];
    const byFirst = entry(this.known, op, () => new Map());
    const bySecond = entry(byFirst, first, () => new Map());
    return entry(bySecond, second, () => left(rules, [op, first, second]));
  }
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}

function byRoot<W extends Formed, R extends Rewriting<W>>(
  rules: readonly R[],
): ReadonlyMap<NodeOp, readonly Candidate<W, R>[]> {
  const found = new Map<NodeOp, Candidate<W, R>[]>();
  for (const rule of rules) {
    const roots = rule.rewrites.map((each) => ({ each, ops: rootsOf(each.form) }));
    for (const op of new Set(roots.flatMap(({ ops }) => [...ops])))
      entry(found, op, () => []).push({
        rule,
        rewrites: roots.flatMap(({ each, ops }) => (ops.has(op) ? [each] : [])),
      });
  }
  return found;
}

function left<W extends Formed, R extends Rewriting<W>>(
  rules: readonly Candidate<W, R>[],
  shape: Shape,
): readonly Candidate<W, R>[] {
  return rules.flatMap(({ rule, rewrites }) => {
    const some = rewrites.filter(({ form }) => mayHave(form, shape));
    return some.length === 0 ? [] : [{ rule, rewrites: some }];
  });
}

/** Whether a form can match nodes with these operators. */
function mayHave(form: Form, shape: Shape): boolean {
  switch (form.kind) {
    case 'anything':
    case 'number':
    case 'product':
      return true;
    case 'named':
    case 'once':
    case 'where':
      return mayHave(form.form, shape);
    case 'one-of':
      return form.forms.some((each) => mayHave(each, shape));
    case 'node':
      return form.ops.has(shape[0]) && operandsMayBe(form.operands, shape);
  }
}

function operandsMayBe(operands: Operands, [, first, second]: Shape): boolean {
  switch (operands.kind) {
    case 'any':
    case 'some':
      return true;
    case 'each':
      return mayBe(operands.form, first) && (second === undefined || mayBe(operands.form, second));
    case 'in-order': {
      const [one, other] = operands.forms;
      return (one === undefined || mayBe(one, first)) && (other === undefined || mayBe(other, second));
    }
    case 'either-order': {
      const { first: one, second: other } = operands;
      return (mayBe(one, first) && mayBe(other, second)) || (mayBe(one, second) && mayBe(other, first));
    }
  }
}

/** Whether a form can match a value of this operator. */
function mayBe(form: Form, op: NodeOp | undefined): boolean {
  if (op === undefined) return false;
  switch (form.kind) {
    case 'anything':
    case 'product':
      return true;
    case 'number':
      return numberOps.has(op);
    case 'named':
    case 'once':
    case 'where':
      return mayBe(form.form, op);
    case 'one-of':
      return form.forms.some((each) => mayBe(each, op));
    case 'node':
      return form.ops.has(op);
  }
}
