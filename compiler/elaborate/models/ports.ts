import type { Span } from '../../../grammar/span.ts';
import type { OutputMember } from '../../../grammar/tree.ts';
import type { Value } from '../../ir/graph.ts';
import type { Context } from '../context/context.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { hasError } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { fitResult } from '../eval/fit-result.ts';
import { resolveType } from '../eval/signature.ts';
import { fail } from '../report/report.ts';
import type { FlatModel } from './flat-model.ts';

/** An output tensor of a model, with its name at run time. */
export interface Port {
  readonly name: string;
  readonly value: Value;
  readonly docs: string;
  readonly span: Span;
  /** Whether only losses use it. */
  readonly forLosses: boolean;
}

/**
 * Returns one port for each tensor of an output. `named` returns the value for an output without one: the value of
 * that name in the model.
 */
export function portsOf(scope: Scope, decl: OutputMember, named: () => Val | undefined): readonly Port[] {
  const { name } = decl.name;
  const span = decl.value?.span ?? decl.name.span;
  if (decl.stage && decl.stage.name !== 'train') {
    const help = 'the only stage is `output(train)`';
    fail(scope, 'CROB2001', decl.stage.span, { name: decl.stage.name }, { help });
  }
  const raw = decl.value ? evaluate(scope, decl.value) : named();
  if (!raw) {
    fail(scope, 'CROB2001', decl.name.span, { name }, { help: `give it a value: output ${name} = …` });
    return [];
  }
  const type = decl.type && resolveType(scope, decl.type, new Map());
  if (hasError(raw)) return [];
  const value = type ? fitResult(scope, raw, type, span, `the output \`${name}\``) : raw;
  if (hasError(value)) return [];
  const found = tensorsOf(value, decl);
  if (!found) {
    const actual = value.kind === 'list' && value.items.length > 0 ? 'a list of other things' : describe(value);
    const expected = `a tensor, or a list of tensors, as the output \`${name}\``;
    fail(scope, 'CROB2201', span, { expected, actual });
  }
  return found ?? [];
}

function tensorsOf(value: Val, { name: { name, span }, docs, stage }: OutputMember): readonly Port[] | undefined {
  const port = { span, forLosses: stage !== undefined };
  if (value.kind === 'tensor') return [{ ...port, name, value: value.value, docs: docs.join('\n') }];
  if (value.kind !== 'list' || value.items.length === 0) return undefined;
  const items = value.items.map((item) => (item.kind === 'tensor' ? item.value : undefined));
  if (!items.every((item) => item !== undefined)) return undefined;
  return items.map((item, i) => ({ ...port, name: `${name}_${i}`, value: item, docs: '' }));
}

/** Checks that the names of all inputs and outputs differ, as they share one namespace at run time. */
export function checkPortNames(
  context: Context,
  flat: FlatModel,
  inputs: readonly { readonly name: string }[],
  outputs: readonly Port[],
): void {
  const taken = new Map<string, Span>();
  for (const { name } of inputs) {
    const input = flat.inputs.get(name);
    if (input) taken.set(name, input.decl.name.span);
  }
  for (const { name, span } of outputs) {
    const earlier = taken.get(name);
    const notes = earlier && [{ span: earlier, text: 'the other one' }];
    if (notes) fail({ context }, 'CROB2312', span, { model: flat.name, name }, { notes });
    else taken.set(name, span);
  }
}
