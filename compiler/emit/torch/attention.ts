import type { Block, CallExpr, Expr, LetStatement, Statement } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import { productOf, readOf, type Score, softmaxOf, swappedKey, termsOf } from './attention-parts.ts';
import { made, rankOf } from './builtin-call.ts';
import { Facts } from './facts.ts';
import { atom, attribute, call, method, negative, number, type Py } from './python/tree.ts';
import type { Scope, Value } from './scope.ts';

/** softmax(q·kᵀ·scale + bias)·v, which a call of the source computes. */
interface Attention extends Score {
  readonly value: Expr;
  /** What is added to the scores. */
  readonly bias: Expr | undefined;
  /** The part that zeroes attention weights in training. */
  readonly dropout: Expr | undefined;
}

export interface AttentionPlan {
  /** The statements, with the bias in place of the scores. */
  readonly statements: readonly Statement[];
  /** Statements that are left out; their comments are kept. */
  readonly dropped: ReadonlySet<Statement>;
  readonly calls: ReadonlyMap<Expr, Attention>;
  /** Products whose value a statement before has given a name. */
  readonly names: ReadonlyMap<Expr, Expr>;
}

/**
 * Finds attention in a body: the product of the values with a softmax over the last axis of scores, if nothing else reads the
 * scores and the weights, and what the scores are made of is the same where the product stands.
 */
export function planAttention(scope: Scope, block: Block): AttentionPlan {
  const calls = new Map<Expr, Attention>();
  const names = new Map<Expr, Expr>();
  const replaced = new Map<Statement, Statement>();
  const dropped = new Set<Statement>();
  const facts = new Facts(scope, block);
  for (const node of nodesBelow(block)) {
    if (node.kind !== 'call') continue;
    const found = attentionIn(facts, node, calls.size === 0 && facts.isFree('bias') ? 'bias' : undefined);
    if (!found) continue;
    // What was the name of the weights is that of what is read with them.
    const { by } = found;
    if (by) names.set(node, { kind: 'name', name: by.name.name, span: node.span });
    calls.set(by?.value ?? node, found.attention);
    for (const [from, to] of found.replaced) replaced.set(from, to);
    for (const one of found.dropped) dropped.add(one);
  }
  const statements = block.statements.map((one) => replaced.get(one) ?? one);
  return { statements, dropped, calls, names };
}

interface Found {
  readonly attention: Attention;
  /** The statement in whose place it is computed; the product's own place without one. */
  readonly by: LetStatement | undefined;
  readonly replaced: ReadonlyMap<Statement, Statement>;
  readonly dropped: readonly Statement[];
}

/** `name` is one for the sum of what is added to the scores; by default that of the scores. */
function attentionIn(facts: Facts, node: CallExpr, name: string | undefined): Found | undefined {
  const read = readOf(facts, node);
  if (!read) return undefined;
  const weights = softmaxOf(facts, read.weights);
  if (!weights) return undefined;
  const terms = termsOf(weights.scores);
  const scored = terms.flatMap((term) => {
    const by = facts.onlyLet(term);
    const inside = termsOf(by?.value ?? term);
    const products = inside.flatMap((one) => productOf(facts, one) ?? []);
    return products.length === 1 ? [{ term, by, inside, product: products[0] }] : [];
  });
  const [one] = scored;
  if (!one?.product || scored.length > 1 || one.product.rank !== read.rank) return undefined;
  const { product, by } = one;
  const beside = terms.filter((term) => term !== one.term);
  const own = one.inside.filter((term) => term !== product.of);
  const sums: BiasStatements | undefined = by
    ? biasStatements(facts, by, own, { name, before: (weights.by ?? node).span.start })
    : { bias: sumOf(own), replaced: new Map(), dropped: [] };
  if (!sums || (sums.isOptional && beside.length > 0)) return undefined;
  const moved = [product.query, product.key, ...product.factors, ...beside, ...(by ? [] : own)];
  const fits = [...own, ...beside].every((term) => (facts.rank(term) ?? product.rank + 1) <= product.rank);
  if (!fits || !moved.every((expr) => facts.isStable(expr))) return undefined;
  const key = swappedKey(facts, product);
  const early = weights.by && facts.isKnownBefore(read.value, weights.by);
  const bias = sumOf([...(sums.bias ? [sums.bias] : []), ...beside]);
  return {
    attention: { ...product, ...key.score, value: read.value, bias, dropout: weights.dropout },
    replaced: new Map([...sums.replaced, ...key.replaced]),
    dropped: [...sums.dropped, ...(weights.by && !early ? [weights.by] : [])],
    by: early ? weights.by : undefined,
  };
}

interface BiasStatements {
  readonly bias: Expr | undefined;
  readonly isOptional?: boolean;
  readonly replaced: ReadonlyMap<Statement, Statement>;
  readonly dropped: readonly Statement[];
}

/**
 * The statements that add to scores, `score = score + x`, as statements about what is added; undefined if there are others.
 * All stand before the place `before`, and the sum has the name `name`.
 */
function biasStatements(
  facts: Facts,
  by: LetStatement,
  own: readonly Expr[],
  { name = by.name.name, before }: { readonly name: string | undefined; readonly before: number },
): BiasStatements | undefined {
  const { span } = by;
  const named = { ...by.name, name };
  const bias: Expr = { kind: 'name', name, span };
  const replaced = new Map<Statement, Statement>();
  const rank = facts.rank(by.value) ?? 0;
  let mentions = 1;
  let isLate = false;
  /** Whether something has been added: always, never, or under a condition. */
  let state: 'yes' | 'no' | 'perhaps' = own.length > 0 ? 'yes' : 'no';
  const withBias = (sum: Expr): Expr => {
    const both: Expr = { kind: 'binary', op: '+', left: bias, right: sum, span };
    return state === 'no' ? sum : state === 'yes' ? both : firstOr(bias, sum, both);
  };
  for (const statement of facts.block.statements) {
    const inside = statement.kind === 'if-statement' && !statement.otherwise ? statement.then : undefined;
    const [only, more] = inside ?? [statement];
    const added = only && addedTo(by.name.name, only);
    if (!only || !added || statement.span.start > before) continue;
    if (more || added.terms.some((term) => (facts.rank(term) ?? rank + 1) > rank)) return undefined;
    mentions += added.mentions;
    const value = withBias(added.sum);
    const later: Statement = { kind: 'assign', target: bias, op: '=', value, span: only.span };
    if (inside && statement.kind === 'if-statement') replaced.set(statement, { ...statement, then: [later] });
    else replaced.set(statement, state === 'no' ? { ...by, docs: [], name: named, value, span: only.span } : later);
    isLate ||= state === 'no' && !inside;
    state = state === 'yes' || !inside ? 'yes' : 'perhaps';
  }
  if (facts.mentions(by.name.name) !== mentions) return undefined;
  if (state === 'no' || isLate) return { bias: state === 'no' ? undefined : bias, replaced, dropped: [by] };
  replaced.set(by, { ...by, name: named, value: sumOf(own) ?? { kind: 'none', span } });
  return { bias, isOptional: state === 'perhaps', replaced, dropped: [] };
}

/** What a statement adds to a variable, and how often it mentions the variable. */
function addedTo(
  name: string,
  statement: Statement,
): { readonly terms: readonly Expr[]; readonly sum: Expr; readonly mentions: number } | undefined {
  if (statement.kind !== 'assign' || statement.target.kind !== 'name' || statement.target.name !== name)
    return undefined;
  const all = termsOf(statement.value);
  const terms = statement.op === '+=' ? all : all.filter((one) => one.kind !== 'name' || one.name !== name);
  const own = all.length - terms.length;
  const sum = sumOf(terms);
  const isSum = statement.op === '+=' || (statement.op === '=' && own === 1);
  return isSum && sum ? { terms, sum, mentions: own + 1 } : undefined;
}

/** `if bias == none { sum } else { both }`. */
function firstOr(bias: Expr, sum: Expr, both: Expr): Expr {
  const { span } = bias;
  const block = (value: Expr): Block => ({ statements: [], value, span });
  const condition: Expr = { kind: 'binary', op: '==', left: bias, right: { kind: 'none', span }, span };
  return { kind: 'if', condition, then: block(sum), otherwise: block(both), span };
}

function sumOf(terms: readonly Expr[]): Expr | undefined {
  const [first, ...others] = terms;
  return (
    first && others.reduce((left, right): Expr => ({ kind: 'binary', op: '+', left, right, span: left.span }), first)
  );
}

/** Writes attention as PyTorch's function. */
export function writeAttention(
  scope: Scope,
  { query, key, isTurned, factors, value, bias, dropout }: Attention,
): Value {
  const [q, k, v] = [scope.translate(query).py, scope.translate(key).py, scope.translate(value)];
  const [first, ...others] = factors;
  const scale = first ? others.reduce(productOfTwo, first) : undefined;
  const rate = dropout && scope.translate(dropout).py;
  const training = scope.lookup('training')?.py ?? atom('True');
  const dropped: Py | undefined = rate && {
    kind: 'conditional',
    test: training,
    then: attribute(rate, 'p'),
    otherwise: atom('0.0'),
  };
  const keys = isTurned ? method(k, 'transpose', [negative(number(2)), negative(number(1))]) : k;
  const py = call(attribute(atom('F'), 'scaled_dot_product_attention'), [q, keys, v.py], {
    attn_mask: bias && scope.translate(bias).py,
    dropout_p: dropped,
    scale: scale ? scope.translate(scale).py : atom('1.0'),
  });
  return made(py, rankOf(v.kind));
}

function productOfTwo(left: Expr, right: Expr): Expr {
  return { kind: 'binary', op: '*', left, right, span: left.span };
}
