/**
 * Plans the contraction of two operands from axis names alone. Of all ways to compute it as one product with
 * broadcasting or as one matmul, it picks the one that costs least in transposes and reshapes.
 */

/**
 * Both operands are arranged in `order`, with size 1 for names that they lack, and multiplied; `summed` is then summed
 * over.
 */
export interface ProductPlan {
  readonly kind: 'product';
  readonly order: readonly string[];
  readonly summed: readonly string[];
}

/**
 * `[...batch, rows, inner] x [...batch, inner, columns]`. An operand has size 1 for the batch names that it lacks, and
 * several names are merged into one axis. `left` is the operand that has the rows.
 */
export interface MatmulPlan {
  readonly kind: 'matmul';
  readonly left: 0 | 1;
  readonly batch: readonly string[];
  readonly rows: readonly string[];
  readonly inner: readonly string[];
  readonly columns: readonly string[];
}

export type ContractionPlan = ProductPlan | MatmulPlan;

type Names = readonly string[];

interface Costed<P> {
  readonly plan: P;
  readonly cost: number;
}

// Costs in units of a reshape that moves no data. A transpose reads and writes every element once; more names mean a
// larger tensor.
const transposeCost = (names: Names) => 4 + 3 * names.length;
const reshapeCost = 1;
/** A product holds every term in memory before it is summed. */
const termsCost = 6;
/** A free axis in the batch turns one large matrix product into many small ones. */
const promotedCost = 4;
/** A matrix-vector product for each batch entry does the same. */
const vectorCost = 4;

/**
 * Returns the cheapest plan. `a` and `b` are the operands' names in order; names that only one operand has are all in
 * `keep`, the names of the result. `wanted` is the order of the result, if it matters.
 */
export function planContraction(
  a: Names,
  b: Names,
  keep: ReadonlySet<string>,
  wanted: Names | undefined,
): ContractionPlan {
  const inner = a.filter((name) => b.includes(name) && !keep.has(name));
  const freeA = a.filter((name) => !b.includes(name));
  const freeB = b.filter((name) => !a.includes(name));
  const products = productPlans(a, b, keep, inner, wanted);
  if (inner.length === 0 || (freeA.length === 0 && freeB.length === 0)) return cheapest<ContractionPlan>(products);
  const matmuls = matmulPlans(a, b, keep, wanted);
  // If both operands have names of their own, a product would be larger than both.
  return cheapest<ContractionPlan>(freeA.length === 0 || freeB.length === 0 ? [...matmuls, ...products] : matmuls);
}

/** Returns a key of everything that a plan depends on. */
export function contractionKey(a: Names, b: Names, keep: ReadonlySet<string>, wanted: Names | undefined): string {
  const marked = (names: Names) => names.map((name) => (keep.has(name) ? `${name}+` : name)).join();
  return `${marked(a)};${marked(b)};${wanted?.join() ?? '*'}`;
}

function cheapest<P>(plans: readonly Costed<P>[]): P {
  return plans.reduce((best, next) => (next.cost < best.cost ? next : best)).plan;
}

function productPlans(
  a: Names,
  b: Names,
  keep: ReadonlySet<string>,
  summed: Names,
  wanted: Names | undefined,
): Costed<ProductPlan>[] {
  const all = [...a, ...b.filter((name) => !a.includes(name))];
  const result = wanted ?? all.filter((name) => keep.has(name));
  const orders: Names[] = [[...result, ...summed]];
  if (all.length === a.length) orders.push(a);
  if (all.length === b.length) orders.push(b);
  return orders.map((order) => {
    const left = order.filter((name) => keep.has(name));
    const cost =
      aligning(a, order) +
      aligning(b, order) +
      (summed.length > 0 ? termsCost : 0) +
      (sameOrder(left, result) ? 0 : transposeCost(left));
    return { plan: { kind: 'product', order, summed }, cost };
  });
}

/**
 * The cost of arranging an operand in `order`, with size 1 for each name that it lacks after the first one that it has.
 */
function aligning(names: Names, order: Names): number {
  const own = order.filter((name) => names.includes(name));
  const first = order.findIndex((name) => names.includes(name));
  const gaps = first >= 0 && order.slice(first).length > own.length;
  return (sameOrder(own, names) ? 0 : transposeCost(names)) + (gaps ? reshapeCost : 0);
}

function matmulPlans(a: Names, b: Names, keep: ReadonlySet<string>, wanted: Names | undefined): Costed<MatmulPlan>[] {
  const plans: Costed<MatmulPlan>[] = [];
  for (const left of [0, 1] as const) {
    const [x, y] = left === 0 ? [a, b] : [b, a];
    const shared = x.filter((name) => y.includes(name) && keep.has(name));
    const inner = x.filter((name) => y.includes(name) && !keep.has(name));
    const [freeX, freeY] = [x.filter((name) => !y.includes(name)), y.filter((name) => !x.includes(name))];
    const promotions = [[], ...properSubsets(freeX), ...properSubsets(freeY)];
    for (const promoted of promotions) {
      const batch = [...shared, ...promoted];
      const rows = freeX.filter((name) => !promoted.includes(name));
      const columns = freeY.filter((name) => !promoted.includes(name));
      for (const batchOrder of orders(batch, [x, y, wanted])) {
        for (const rowOrder of orders(rows, [x, wanted])) {
          for (const columnOrder of orders(columns, [y, wanted])) {
            for (const innerOrder of orders(inner, [x, y])) {
              const plan: MatmulPlan = {
                kind: 'matmul',
                left,
                batch: batchOrder,
                rows: rowOrder,
                inner: innerOrder,
                columns: columnOrder,
              };
              plans.push({ plan, cost: matmulCost(plan, x, y, promoted, shared.length > 0, wanted) });
            }
          }
        }
      }
    }
  }
  return plans;
}

function matmulCost(
  { batch, rows, inner, columns }: MatmulPlan,
  x: Names,
  y: Names,
  promoted: Names,
  batched: boolean,
  wanted: Names | undefined,
): number {
  const result = [...batch, ...rows, ...columns];
  // A leading free axis of the left operand against one matrix is still one large matrix product.
  const [promotedFirst] = promoted;
  const splits = promotedFirst !== undefined && (batched || !x.includes(promotedFirst));
  const vector = (rows.length === 0 || columns.length === 0) && batch.length > 0;
  return (
    (sameOrder([...batch.filter((name) => x.includes(name)), ...rows, ...inner], x) ? 0 : transposeCost(x)) +
    (sameOrder([...batch.filter((name) => y.includes(name)), ...inner, ...columns], y) ? 0 : transposeCost(y)) +
    (wanted === undefined || sameOrder(result, wanted) ? 0 : transposeCost(result)) +
    (rows.length !== 1 || inner.length !== 1 || gapped(batch, x) ? reshapeCost : 0) +
    (columns.length !== 1 || inner.length !== 1 || gapped(batch, y) ? reshapeCost : 0) +
    (rows.length !== 1 || columns.length !== 1 ? reshapeCost : 0) +
    (splits ? promotedCost : 0) +
    (vector ? vectorCost : 0)
  );
}

/** Whether the operand lacks a batch name that comes after one that it has. */
function gapped(batch: Names, names: Names): boolean {
  const first = batch.findIndex((name) => names.includes(name));
  return first >= 0 && batch.slice(first).some((name) => !names.includes(name));
}

/** Returns the distinct orders of the names, one for each reference. */
function orders(names: Names, references: readonly (Names | undefined)[]): Names[] {
  const found = new Map<string, Names>();
  for (const reference of references) {
    if (reference === undefined) continue;
    const order = [...names].sort((p, q) => rank(reference, p) - rank(reference, q));
    found.set(order.join(' '), order);
  }
  return [...found.values()];
}

/** Names that the reference lacks come first, in their own order, because matmul broadcasts leading axes at no cost. */
function rank(reference: Names, name: string): number {
  return reference.indexOf(name);
}

/**
 * Subsets that leave out at least one name: many products with vectors always cost more than the transpose that they
 * save.
 */
function properSubsets(names: Names): Names[] {
  return subsets(names).filter((subset) => subset.length < names.length);
}

function subsets(names: Names): Names[] {
  const [first, ...others] = names;
  if (first === undefined) return [];
  const rest = subsets(others);
  return [[first], ...rest, ...rest.map((subset) => [first, ...subset])];
}

function sameOrder(a: Names, b: Names): boolean {
  return a.length === b.length && a.every((name, i) => name === b[i]);
}
