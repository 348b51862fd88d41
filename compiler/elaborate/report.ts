import { position, type Span } from '../../grammar/span.ts';
import { type DiagnosticParts, diagnostic } from '../diagnostics/diagnostic.ts';
import type { MessageArgs, MessageCode } from '../diagnostics/messages.ts';
import type { Dim } from '../dims/dim.ts';
import { type Answer, type Clause, type Facts, settledBy, showClause } from '../dims/facts.ts';
import { OpError } from '../ir/builder.ts';
import type { TensorType, Value } from '../ir/graph.ts';
import type { OpFault } from '../ops/row.ts';
import type { Body } from './body.ts';
import { error, type Val } from './values.ts';

/** Reports a message and yields the value that absorbs what follows. */
export function fail<C extends MessageCode>(
  body: Pick<Body, 'session'>,
  code: C,
  span: Span,
  args: MessageArgs<C>,
  parts: DiagnosticParts = {},
): Val {
  body.session.report(diagnostic(code, span, args, parts));
  return error;
}

export function showType(type: TensorType, facts: Facts): string {
  return `${type.dtype}[${type.shape.map((d) => facts.show(d)).join(', ')}]`;
}

/** `name : [B, 64, H, W]   conv stride 2 (:22) <- input image (:9)`, the way a shape came. */
export function provenance(body: Body, named: readonly { name: string; value: Value }[]): string[] {
  const rows = named.map(({ name, value }) => ({ name, shape: showType(value.type, body.facts), way: way(body, value) }));
  const wide = Math.max(...rows.map((r) => r.name.length));
  const wider = Math.max(...rows.map((r) => r.shape.length));
  return rows.map((r) => `${r.name.padEnd(wide)} : ${r.shape.padEnd(wider)}   ${r.way}`.trimEnd());
}

function way(body: Body, value: Value): string {
  const steps: string[] = [];
  let at: Value | undefined = value;
  let last = '';
  for (let i = 0; at && i < 60; i++) {
    const { label, span } = at.node.origin;
    const step: string = label === '' ? '' : span ? `${label} (:${line(body, span)})` : label;
    if (step !== '' && step !== last) {
      steps.push(step);
      last = step;
    }
    const current: Value = at;
    const call = body.calls.find((c) => c.results.includes(current));
    at = call ? call.args[0] : current.node.inputs[0];
  }
  return steps.length > 5 ? [...steps.slice(0, 4), '…', steps[steps.length - 1]].join(' <- ') : steps.join(' <- ');
}

function line(body: Body, span: Span): number {
  return position(body.session.program.files.get(span.file)?.tree.text ?? '', span.start).line;
}

/** `fails at H = 33 (32 against 33)`, and what would settle it. */
export function verdict(facts: Facts, answer: Answer, left: Dim, right: Dim): { line: string | undefined; clause: string | undefined } {
  const clause = answer.answer === 'unknown' ? answer.settledBy : settledBy(facts, left, right);
  if (answer.answer !== 'refuted') return { line: clause ? `holds when ${clause}` : undefined, clause };
  const at = [...answer.witness].map(([name, n]) => `${name} = ${n}`).join(', ');
  const values = `${answer.left} against ${answer.right}`;
  const fails = at === '' ? `${values}` : `fails at ${at} (${values})`;
  return { line: clause ? `${fails}; holds when ${clause}` : fails, clause };
}

/** Answers whether two dims are equal; a failure is reported as "`what`: left is not right". */
export function requireEqual(
  body: Body,
  left: Dim,
  right: Dim,
  span: Span,
  what: string,
  parts: DiagnosticParts & { readonly tensors?: readonly { name: string; value: Value }[] } = {},
): boolean {
  const answer = body.facts.equal(left, right);
  if (answer.answer === 'proved') return true;
  const { line: reason, clause } = verdict(body.facts, answer, left, right);
  const details = [...(parts.tensors ? provenance(body, parts.tensors) : []), ...(parts.details ?? []), ...(reason ? [reason] : [])];
  const help = parts.help ?? (clause ? `add \`where ${clause}\` where the dims are declared` : undefined);
  const shown = { what, left: body.facts.show(left), right: body.facts.show(right) };
  body.session.report(
    diagnostic(answer.answer === 'refuted' ? 'CROB2104' : 'CROB2105', span, shown, { notes: parts.notes ?? [], details, help }),
  );
  return false;
}

/** The same for any clause: a bound, a divisibility. */
export function requireClause(
  body: Body,
  clause: Clause,
  span: Span,
  what: string,
  parts: DiagnosticParts & { readonly tensors?: readonly { name: string; value: Value }[] } = {},
): boolean {
  const answer = body.facts.holds(clause);
  if (answer.answer === 'proved') return true;
  const shown = shownClause(body.facts, clause);
  const at =
    answer.answer === 'refuted' && answer.witness.size > 0
      ? [`fails at ${[...answer.witness].map(([name, n]) => `${name} = ${n}`).join(', ')}`]
      : [];
  const details = [...(parts.tensors ? provenance(body, parts.tensors) : []), ...(parts.details ?? []), ...at];
  const settling = answer.answer === 'unknown' ? answer.settledBy : undefined;
  const help = parts.help ?? (settling ? `add \`where ${settling}\` where the dims are declared` : undefined);
  body.session.report(
    diagnostic(answer.answer === 'refuted' ? 'CROB2111' : 'CROB2106', span, { what, clause: shown }, { notes: parts.notes ?? [], details, help }),
  );
  return false;
}

export function shownClause(facts: Facts, clause: Clause): string {
  if (clause.kind === 'mod') return `${facts.show(clause.value)} % ${clause.modulus} == ${clause.remainder}`;
  const sign = { eq: '==', le: '<=', lt: '<' }[clause.kind];
  return `${facts.show(clause.left)} ${sign} ${facts.show(clause.right)}`;
}

export { showClause };

/** Runs graph construction; what the op table refuses becomes a message at `span`. */
export function guarded(body: Body, span: Span, label: string, names: readonly string[], make: () => Value | readonly Value[]): Val {
  const build = body.build;
  if (!build) return fail(body, 'CROB2208', span, { what: label });
  build.origin = { span, path: '', label };
  try {
    const made = make();
    return 'node' in made ? { kind: 'tensor', value: made } : { kind: 'list', items: made.map((value) => ({ kind: 'tensor', value })) };
  } catch (e) {
    if (e instanceof OpError) return reportFault(body, e.fault, e.inputs, span, label, names);
    throw e;
  }
}

export function reportFault(
  body: Body,
  fault: OpFault,
  inputs: readonly Value[],
  span: Span,
  label: string,
  names: readonly string[],
): Val {
  const tensors = inputs.slice(0, 3).map((value, i) => ({ name: names[i] ?? `argument ${i + 1}`, value }));
  if (fault.left && fault.right) {
    const axis = fault.at?.[0]?.axis;
    const answer = body.facts.equal(fault.left, fault.right);
    if (answer.answer !== 'proved') {
      const where = axis === undefined ? '' : `, axis ${axis}`;
      requireEqual(body, fault.left, fault.right, span, `${label}${where}`, { tensors, details: [fault.constraint] });
      return error;
    }
  }
  return fail(body, 'CROB2115', span, { op: label, constraint: fault.constraint }, { details: tensors.length ? provenance(body, tensors) : [] });
}
