import type { Span } from '../../../grammar/span.ts';
import type { Ident } from '../../../grammar/tree.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { namedTensors } from '../context/template.ts';

/** Declares a local name, and records it as the name of the tensors in its value. */
export function declare(scope: Scope, { name, span }: Ident, value: Val): void {
  scope.locals.declare(name, value);
  record(scope, name, value, span);
}

/** Records a name of the tensors in a value, by which `crobc build --expose` selects them. */
export function record({ graph }: Scope, name: string, value: Val, span: Span): void {
  if (graph) for (const tensor of namedTensors(value, name)) graph.named.push({ ...tensor, span });
}
