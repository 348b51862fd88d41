import type { Span } from '../../../grammar/span.ts';
import { type Dim, one, sub, substitute } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import { closedValue } from '../../graphs/closed-value.ts';
import { type IndexUse, indexUse, inputOf, outOfRange } from '../../graphs/index-check.ts';
import { type Bound, ofNumbers, type Range } from '../../graphs/range.ts';
import { type Ranges, rangesUnder } from '../../graphs/value-range.ts';
import type { Value } from '../../ir/graph.ts';
import type { Call, RowNumbers, TemplateBody, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { flatten } from '../context/template.ts';
import { error } from '../context/values.ts';
import { provenance, type TensorNamed } from '../report/provenance.ts';
import { fail, failing, settledIn, settlingOf } from '../report/report.ts';

/**
 * Returns the value computed with a given index; an error, after a report, if an element of the index is certainly
 * out of range.
 */
export function withRows(
  scope: Scope,
  made: Val,
  given: { readonly span: Span } | undefined,
  names: () => readonly string[],
): Val {
  if (made.kind !== 'tensor' || !given) return made;
  const { node } = made.value;
  const use = indexUse(node);
  if (!use) return made;
  const tensors = () => node.inputs.map((value, i) => ({ name: names()[i] ?? `argument ${i + 1}`, value }));
  const name = () => names()[use.input] ?? 'the index';
  return requireRows(scope, use, { span: given.span, name, tensors }) ? made : error;
}

interface IndexPlace {
  readonly span: Span;
  readonly name: () => string;
  readonly tensors: () => readonly TensorNamed[];
  readonly notes?: readonly { readonly span: Span; readonly text: string }[];
}

/**
 * Reports an index if one of its elements is out of range for all inputs. Indices that depend on the inputs are
 * checked when the model runs.
 */
export function requireRows(
  scope: Scope,
  { index, rows }: Pick<IndexUse, 'index' | 'rows'>,
  { span, name, tensors, notes = [] }: IndexPlace,
): boolean {
  const { facts } = scope;
  const range = rangesOf(facts, scope.graph?.calls ?? [])(index);
  const wrong = outOfRange(range, rows, facts) ?? outOfRange(exactRange(index, range, facts), rows, facts);
  if (!wrong) return true;
  fail(
    scope,
    'CROB2121',
    span,
    { index: name(), at: facts.show(wrong.at), last: facts.show(sub(rows, one)) },
    {
      notes,
      details: [...provenance(scope, tensors()), ...failing(wrong.answer)],
      ...settledIn(scope, settlingOf(facts, wrong.clause)),
    },
  );
  return false;
}

/** The range of an index's elements, from the elements themselves if they can be computed and `range` is not exact. */
function exactRange(index: Value, range: Range, facts: Facts): Range {
  if (range.low?.reached && range.high?.reached) return range;
  const data = closedValue(index, facts);
  return data ? ofNumbers(data.data, range.axes) : range;
}

/** Ranges that include results of functions and modules. */
function rangesOf(facts: Facts, calls: readonly Call[]): Ranges {
  return rangesUnder(facts, (value) => {
    if (value.node.op !== 'input') return undefined;
    const call = calls.find((one) => one.results.includes(value));
    return call && resultRange(call, call.results.indexOf(value));
  });
}

function resultRange({ template, dims }: Call, i: number): Range | undefined {
  const { body, facts } = template;
  const result = body.result.kind === 'error' ? undefined : flatten(body.result)[i];
  if (!result) return undefined;
  const { low, high, axes } = rangesOf(facts, body.calls)(result);
  const outside = (bound: Bound | undefined) => bound && { ...bound, at: substitute(bound.at, dims) };
  return { low: outside(low), high: outside(high), axes };
}

/**
 * Returns the parameters of a body that are used directly as row indices, with the numbers of rows in the body's
 * dims.
 */
export function rowNumbersOf({
  placeholders,
  nodes,
  calls,
}: Pick<TemplateBody, 'placeholders' | 'nodes' | 'calls'>): readonly RowNumbers[] {
  const found: RowNumbers[] = [];
  const note = (index: Value | undefined, rows: Dim, span: Span | undefined): void => {
    const source = index && inputOf(index);
    const placeholder = source ? placeholders.indexOf(source.value) : -1;
    if (placeholder >= 0) found.push({ placeholder, rows, span });
  };
  for (const node of nodes) {
    const use = indexUse(node);
    if (use) note(use.index, use.rows, node.origin.span);
  }
  for (const { template, args, dims } of calls)
    for (const { placeholder, rows, span } of template.body.rowNumbers)
      note(args[placeholder], substitute(rows, dims), span);
  return found;
}
