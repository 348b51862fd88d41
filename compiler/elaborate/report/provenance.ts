import type { Span } from '../../../grammar/span.ts';
import type { Detail, Step } from '../../diagnostics/details.ts';
import { type Dim, variables } from '../../dims/dim.ts';
import type { Facts } from '../../dims/facts.ts';
import type { Value } from '../../ir/graph.ts';
import type { TensorType } from '../../ir/types.ts';
import type { Scope } from '../context/scope.ts';
import { lineOf } from './place.ts';

/** A tensor with its name in the source. */
export interface TensorNamed {
  readonly name: string;
  readonly value: Value;
}

export function showShape(type: TensorType, facts: Facts): string {
  return `[${type.shape.map((d) => facts.show(d)).join(', ')}]`;
}

/** Returns the provenance of the tensors' shapes; dtypes are included if they differ or `dtypes` is set. */
export function provenance(scope: Scope, named: readonly TensorNamed[], dtypes = false): readonly Detail[] {
  const differ = dtypes || new Set(named.map(({ value }) => value.type.dtype)).size > 1;
  const tensors = named
    .filter((one, i) => named.findIndex((other) => other.value === one.value) === i)
    .map(({ name, value }) => ({
      name,
      shape: `${differ ? value.type.dtype : ''}${showShape(value.type, scope.facts)}`,
      way: way(scope, value),
    }));
  return tensors.length === 0 ? [] : [{ kind: 'tensors', tensors }];
}

/** The maximum number of steps shown: the nearest ones and the first. */
const mostSteps = 5;
/** The maximum number of values searched for steps. */
const farthest = 60;

function way(scope: Scope, value: Value): readonly (Step | undefined)[] {
  const steps: Step[] = [];
  let at: Value | undefined = value;
  let last: Span | undefined;
  for (let i = 0; at && i < farthest; i++) {
    const { label, span } = at.node.origin;
    // Nodes with the same span are one step, represented by the last of them.
    if (
      label !== '' &&
      !(span && last && span.file === last.file && span.start === last.start && span.end === last.end)
    ) {
      steps.push({ label, at: span && lineOf(scope.context, span) });
      last = span;
    }
    const current: Value = at;
    const call = scope.graph?.calls.find((c) => c.results.includes(current));
    at = call ? call.args[0] : current.node.inputs[0];
  }
  return steps.length > mostSteps ? [...steps.slice(0, mostSteps - 1), undefined, ...steps.slice(-1)] : steps;
}

/** Axes with a common name, by the variable of their size. */
const words: Readonly<Record<string, string>> = { H: 'height', W: 'width', B: 'batch' };

/** Returns the name of an axis: `height` if both sizes depend on H alone, otherwise `axis 1:`. */
export function axisWord(shape: readonly Dim[], axis: number, left: Dim, right: Dim): string {
  const named = new Set([...variables(left), ...variables(right)]);
  const [only] = named;
  const word = named.size === 1 && only ? words[only] : undefined;
  return word && shape.length > 1 ? word : `axis ${axis}:`;
}
