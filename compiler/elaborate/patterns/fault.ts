import type { Dim } from '../../dims/dim.ts';
import type { Answer, Facts } from '../../dims/facts.ts';
import type { Builder, Refusal } from '../../ir/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { OpAttributes, OpName } from '../../ops/names.ts';

/** Where the operators go, and what is known of the dims. */
export interface PatternContext {
  readonly build: Builder;
  readonly facts: Facts;
}

/** Why a pattern cannot be applied: the data of a diagnostic. Positions are offsets inside the pattern string. */
export type PatternFault =
  | { readonly kind: 'syntax'; readonly message: string; readonly at: number; readonly length: number }
  | { readonly kind: 'rank'; readonly message: string }
  | { readonly kind: 'names'; readonly message: string; readonly at: number; readonly length: number }
  | DimsFault
  | { readonly kind: 'operator'; readonly refusal: Refusal };

/** `left relation right` is owed and not proved; `left % right` stands for `left % right == 0`. */
export interface DimsFault {
  readonly kind: 'dims';
  /** Does not print the two dims. */
  readonly message: string;
  readonly left: Dim;
  readonly right: Dim;
  readonly relation: '==' | '<=' | '%';
  /** The axis it is about, for the provenance chain; -1 for a size that belongs to no input axis. */
  readonly input: number;
  readonly axis: number;
  /** What to do, where that does not follow from the relation. */
  readonly help?: string;
}

export type PatternResult<T = Value> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: PatternFault };

/** Carries a fault out of nested functions; never leaves `attempt`. */
class Refused extends Error {
  readonly fault: PatternFault;
  constructor(fault: PatternFault) {
    super(fault.kind);
    this.fault = fault;
  }
}

export function attempt<T>(lower: () => T): PatternResult<T> {
  try {
    return { ok: true, value: lower() };
  } catch (error) {
    if (error instanceof Refused) return { ok: false, fault: error.fault };
    throw error;
  }
}

export function refuse(fault: PatternFault): never {
  throw new Refused(fault);
}

/** The value of one operator, whose arguments come from the source. */
export function emit<O extends OpName>(
  { build }: PatternContext,
  op: O,
  inputs: readonly Value[],
  attributes: OpAttributes[O],
): Value {
  const emitted = build.tryEmit(op, inputs, attributes);
  if ('fault' in emitted) refuse({ kind: 'operator', refusal: emitted });
  return emitted.values[0]!;
}

/** Where a piece of a pattern stands in its string. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

export function refuseNames(message: string, { at, length }: Place): never {
  refuse({ kind: 'names', message, at, length });
}

/** An axis of an input. */
export interface AxisOf {
  readonly input: number;
  readonly axis: number;
}

export function proveEqual(facts: Facts, left: Dim, right: Dim, message: string, of: AxisOf): void {
  if (left.key === right.key) return;
  owed(facts.equal(left, right), { message, left, right, relation: '==' }, of);
}

export function proveAtMost(facts: Facts, left: Dim, right: Dim, message: string, of: AxisOf): void {
  owed(facts.lessEqual(left, right), { message, left, right, relation: '<=' }, of);
}

/** Refuses unless the answer is "proved". */
export function owed(
  answer: Answer,
  obligation: Omit<DimsFault, 'kind' | 'input' | 'axis' | 'help'>,
  of: AxisOf,
): void {
  if (answer.answer === 'proved') return;
  refuse({ kind: 'dims', ...obligation, ...of });
}
