import type { Span } from '../../../grammar/span.ts';
import type { Expr } from '../../../grammar/tree.ts';
import { type DiagnosticParts, diagnostic, type Need } from '../../diagnostics/diagnostic.ts';
import type { MessageArgs, MessageCode } from '../../diagnostics/messages.ts';
import { type Clause, clauseVariables, isBeyond, showClause } from '../../dims/clause.ts';
import { asConstant, type Dim, isOverflow, one } from '../../dims/dim.ts';
import type { Answer, Facts } from '../../dims/facts.ts';
import { settlingClauses } from '../../dims/settle.ts';
import type { Builder, Emitted, Refusal } from '../../graphs/builder.ts';
import type { TensorType } from '../../ir/types.ts';
import { broadcastConstraint } from '../../ops/broadcasting.ts';
import type { Relation } from '../../ops/row.ts';
import type { OwnerName } from '../context/declared.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { error } from '../context/values.ts';
import { definitions, type Site, siteIn } from './definitions.ts';
import { paddingHelp } from './padding.ts';
import { placeOf } from './place.ts';
import { axisWord, provenance, showShape, type TensorNamed } from './provenance.ts';
import { swapHelp } from './swapped.ts';

/** Reports a message and returns the error value, which suppresses further messages. */
export function fail<C extends MessageCode>(
  scope: Pick<Scope, 'context'>,
  code: C,
  span: Span,
  args: MessageArgs<C>,
  parts: DiagnosticParts = {},
): Val {
  scope.context.report(diagnostic(code, span, args, parts));
  return error;
}

export function showType(type: TensorType, facts: Facts): string {
  return `${type.dtype}${showShape(type, facts)}`;
}

/**
 * Details and help about dims: the tensors concerned, additional lines, and a help if it does not follow from the
 * clause.
 */
export interface ShapeParts extends DiagnosticParts {
  readonly tensors?: readonly TensorNamed[];
  /** Sites, besides the message's own, whose definitions are shown: the callee of an argument, a declared type. */
  readonly from?: readonly Site[];
}

/** `fails at H = 33 (32 against 33)`, and the conditions that would settle it. */
function verdict(answer: Answer, settling: readonly Clause[] | undefined): string | undefined {
  const holds = settling ? `holds when ${clausesText(settling)}` : '';
  if (answer.answer !== 'refuted') return holds || undefined;
  const at = witness(answer);
  // For two constants, the message is already complete.
  const fails = at === '' ? '' : `fails at ${at} (${answer.left} against ${answer.right})`;
  return [fails, holds].filter((part) => part !== '').join('; ') || undefined;
}

function witness(answer: Extract<Answer, { answer: 'refuted' }>): string {
  return [...answer.witness].map(([name, n]) => `${name} = ${n}`).join(', ');
}

/** `H % 2 == 0, W % 2 == 0` */
export function clausesText(clauses: readonly Clause[]): string {
  return clauses.map((one) => showClause(one)).join(', ');
}

/** The part of a message with conditions that would settle it. */
export interface Settling {
  readonly help: string | undefined;
  readonly needs: Need | undefined;
}

const nothing: Settling = { help: undefined, needs: undefined };

/** ``add `where H % 2 == 0` to model Seg (:8)``, if a declaration can state it. */
export function settledIn(scope: Pick<Scope, 'context' | 'owner'>, clauses: readonly Clause[] | undefined): Settling {
  const { owner } = scope;
  // A condition cannot refer to dims without a plain name, such as those of a `...` or of a list of sizes.
  if (!clauses || clauses.some((one) => [...clauseVariables(one)].some((name) => !/^[A-Za-z]\w*$/.test(name))))
    return nothing;
  const text = clausesText(clauses);
  if (!owner) return { help: `add \`where ${text}\` where the dims are declared`, needs: undefined };
  const at = ({ what, span }: OwnerName) => `${what} (${placeOf(scope.context, span, span.file)})`;
  const where = at(owner);
  const help = `add \`where ${text}\` to ${where}`;
  const { promisedBy } = owner;
  if (!promisedBy) return { help, needs: { owner: owner.span, where, isModel: owner.isModel, clauses } };
  // A condition that the interface lacks would be an error, and interfaces of the library must not be changed.
  if (promisedBy.span.file.startsWith('std/')) return nothing;
  if (promisedBy.span === owner.span) return { help, needs: undefined };
  return { help: `${help}, and to ${at(promisedBy)}, whose callers then have to keep it`, needs: undefined };
}

/** Whether two dims are proved equal; a failure is reported as "`what` left is not right". */
export function requireEqual(
  scope: Scope,
  left: Dim,
  right: Dim,
  span: Span,
  what: string,
  parts: ShapeParts = {},
): boolean {
  const clause: Clause = { kind: 'eq', left, right };
  const answer = scope.facts.equal(left, right);
  if (answer.answer === 'proved') return true;
  if (isOverflow(left) || isOverflow(right)) return beyondIntegers(scope, span);
  const settling = parts.help === undefined ? settlingOf(scope.facts, clause) : undefined;
  const reason = verdict(answer, settling);
  const details = [
    ...(parts.tensors ? provenance(scope, parts.tensors) : []),
    ...(parts.details ?? []),
    ...(reason ? [reason] : []),
    ...definitions(scope, [siteIn(scope, span), ...(parts.from ?? [])]),
  ];
  const settled = parts.help === undefined ? settledIn(scope, settling) : { help: parts.help, needs: undefined };
  const shown = { what, left: scope.facts.show(left), right: scope.facts.show(right) };
  const help = settled.help ?? paddingHelp(scope, left, right, parts.tensors ?? []);
  const code = answer.answer === 'refuted' ? 'CROB2104' : 'CROB2105';
  scope.context.report(diagnostic(code, span, shown, { notes: parts.notes ?? [], details, ...settled, help }));
  return false;
}

/** Reports a condition on a number beyond 2^53, about which nothing is known. */
export function beyondIntegers(scope: Scope, span: Span): false {
  fail(scope, 'CROB2224', span, {});
  return false;
}

/** Like `requireEqual`, for any clause: a bound, a divisibility. */
export function requireClause(
  scope: Scope,
  clause: Clause,
  span: Span,
  what: string,
  shape: () => ShapeParts = () => ({}),
): boolean {
  const answer = scope.facts.holds(clause);
  if (answer.answer === 'proved') return true;
  if (isBeyond(clause)) return beyondIntegers(scope, span);
  const parts = shape();
  const details = [
    ...(parts.tensors ? provenance(scope, parts.tensors) : []),
    ...(parts.details ?? []),
    ...knownBeside(scope.facts, clause),
    ...failing(answer),
    ...definitions(scope, [siteIn(scope, span), ...(parts.from ?? [])]),
  ];
  const settled =
    parts.help === undefined
      ? settledIn(scope, settlingOf(scope.facts, clause))
      : { help: parts.help, needs: undefined };
  const all: DiagnosticParts = { notes: parts.notes ?? [], details, ...settled };
  const shown = shownClause(scope.facts, clause);
  if (answer.answer === 'refuted') {
    const fails = answer.witness.size === 0 ? 'does not hold' : 'does not always hold';
    fail(scope, 'CROB2111', span, { what, clause: shown, fails }, all);
  } else {
    fail(scope, 'CROB2106', span, { what, clause: shown }, all);
  }
  return false;
}

/** Whether a size is proved to be at least 1; reports if not. */
export function requireSize(scope: Scope, size: Dim, span: Span, name: () => string): boolean {
  const n = asConstant(size);
  if (n !== undefined && 1 <= n) return true;
  const clause: Clause = { kind: 'le', left: one, right: size };
  if (n === undefined)
    return (
      scope.facts.holds(clause).answer === 'proved' || requireClause(scope, clause, span, `\`${name()}\` is a size`)
    );
  const details = definitions(scope, [siteIn(scope, span)]);
  fail(scope, 'CROB2120', span, { what: name() === String(n) ? 'this' : `\`${name()}\``, size: n }, { details });
  return false;
}

/** `fails at H = 1`, for a refuted clause. */
export function failing(answer: Answer): string[] {
  if (answer.answer !== 'refuted') return [];
  const at = witness(answer);
  return at === '' ? [] : [`fails at ${at}`];
}

/** Returns conditions that would settle a clause; undefined for a clause about constants. */
export function settlingOf(facts: Facts, clause: Clause): readonly Clause[] | undefined {
  return clauseVariables(clause).size === 0 ? undefined : settlingClauses(facts, clause);
}

/** The maximum number of known conditions that are shown. */
const mostKnown = 3;

/** Returns the known conditions on a clause's dims that do not suffice: perhaps a weaker condition of the model. */
export function knownBeside(facts: Facts, clause: Clause): readonly string[] {
  const names = clauseVariables(clause);
  const known = facts.clauses.filter((one) => [...clauseVariables(one)].some((name) => names.has(name)));
  if (known.length === 0) return [];
  const more = known.length > mostKnown ? ', …' : '';
  return [`known: ${clausesText(known.slice(0, mostKnown))}${more}`];
}

export function shownClause(facts: Facts, clause: Clause): string {
  if (clause.kind === 'mod') {
    const value = facts.show(clause.value);
    return `${/[-+ ]/.test(value) ? `(${value})` : value} % ${clause.modulus} == ${clause.remainder}`;
  }
  const sign = { eq: '==', le: '<=', lt: '<' }[clause.kind];
  return `${facts.show(clause.left)} ${sign} ${facts.show(clause.right)}`;
}

/** Returns the source of an argument as one short line. */
export function argText(scope: Pick<Scope, 'context'>, expr: Expr | undefined): string {
  if (!expr) return 'argument';
  const raw = scope.context.run.program.text(expr.span).replace(/\s+/g, ' ');
  return raw.length > 32 ? `${raw.slice(0, 29)}...` : raw;
}

/** `4 axes`, `1 tensor`. */
export function counted(n: number, noun: 'axis' | 'tensor' | 'argument'): string {
  if (n === 1) return `1 ${noun}`;
  return `${n} ${noun === 'axis' ? 'axes' : `${noun}s`}`;
}

/** For operators whose arguments have no source text. */
export const noNames = (): readonly string[] => [];

/** Runs graph construction; a refusal of the op table is reported at `span`. */
export function guarded(
  scope: Scope,
  span: Span,
  label: string,
  names: () => readonly string[],
  make: (build: Builder) => Emitted,
): Val {
  const build = scope.graph?.build;
  if (!build) return fail(scope, 'CROB2208', span, { what: label === '' ? 'a tensor' : `the result of ${label}` });
  build.origin = { span, path: '', label };
  const made = make(build);
  // Implicit operations, such as a number converted to a tensor, have the operator's name.
  if ('fault' in made) return reportRefusal(scope, made, span, label === '' ? made.op : label, names());
  const [value] = made.values;
  return value && made.values.length === 1
    ? { kind: 'tensor', value }
    : { kind: 'list', items: made.values.map((item) => ({ kind: 'tensor', value: item })) };
}

/** The start of a message about an operator: ``cannot add `skip`:``. */
const verbs: Readonly<Record<string, string>> = {
  add: 'cannot add',
  subtract: 'cannot subtract',
  multiply: 'cannot multiply by',
  divide: 'cannot divide by',
  compare: 'cannot compare with',
  and: 'cannot combine with',
  or: 'cannot combine with',
  max: 'cannot compare with',
  min: 'cannot compare with',
};

function attempted(label: string, names: readonly string[]): string {
  const verb = verbs[label];
  return verb && names[1] !== undefined ? `${verb} \`${names[1]}\`:` : `${label}:`;
}

export function reportRefusal(
  scope: Scope,
  { fault, inputs }: Refusal,
  span: Span,
  label: string,
  names: readonly string[],
): Val {
  const tensors = inputs.slice(0, 3).map((value, i) => ({ name: names[i] ?? `argument ${i + 1}`, value }));
  const { left, right, relation, constraint } = fault;
  const what = attempted(label, names);
  if (left && right && relation === '==') {
    const word = fault.at?.[0]
      ? axisWord(inputs[fault.at[0].input]?.type.shape ?? [], fault.at[0].axis, left, right)
      : '';
    const details = constraint === broadcastConstraint ? [] : [constraint];
    const [first, second] = inputs.map(({ type }) => type.shape);
    const axis = fault.at?.[0]?.axis;
    const help =
      constraint === broadcastConstraint && first && second && axis !== undefined
        ? swapHelp(first, second, axis)
        : undefined;
    if (!requireEqual(scope, left, right, span, `${what}${word === '' ? '' : ` ${word}`}`, { tensors, details, help }))
      return error;
  } else if (left && right && relation) {
    const modulus = asConstant(right);
    const clause = clauseOf(left, right, relation, modulus);
    if (clause && !requireClause(scope, clause, span, `${what} ${constraint.replace(/\.$/, '')}`, () => ({ tensors })))
      return error;
  }
  const border = tensors.find(({ value }) => value.type.dtype === 'i64' || value.type.dtype === 'u8');
  return fail(
    scope,
    'CROB2115',
    span,
    { op: label, constraint: constraint.replace(/\.$/, '') },
    {
      details: provenance(scope, tensors, true),
      help:
        label === 'divide' && tensors[0]?.value.type.dtype === 'i32'
          ? `floor(${tensors[0].name}/${tensors[1]?.name}) divides whole numbers; f32(${tensors[0].name}) makes it a fraction`
          : border && `inside a graph there are f32, i32 and bool: convert it, i32(${border.name})`,
    },
  );
}

function clauseOf(left: Dim, right: Dim, relation: Relation, modulus: number | undefined): Clause | undefined {
  if (relation === '==') return { kind: 'eq', left, right };
  if (relation !== '%') return { kind: relation === '<' ? 'lt' : 'le', left, right };
  return modulus === undefined ? undefined : { kind: 'mod', value: left, modulus, remainder: 0 };
}
