import type { Dim } from '../../dims/dim.ts';
import type { Answer, Facts } from '../../dims/facts.ts';
import type { Refusal } from '../../graphs/builder.ts';
import type { Value } from '../../ir/graph.ts';

/** Why a pattern cannot be applied: the data of a diagnostic. Positions are offsets inside the pattern string. */
export type PatternFault =
  | { readonly kind: 'syntax'; readonly message: string; readonly at: number; readonly length: number }
  | { readonly kind: 'rank'; readonly message: string }
  | { readonly kind: 'names'; readonly message: string; readonly at: number; readonly length: number }
  | DimsFault
  | { readonly kind: 'operator'; readonly refusal: Refusal };

/** `left relation right` is required and could not be proved; `left % right` means `left % right == 0`. */
export interface DimsFault {
  readonly kind: 'dims';
  /** Without the two dims. */
  readonly message: string;
  readonly left: Dim;
  readonly right: Dim;
  readonly relation: '==' | '<=' | '%';
  /** The axis concerned, for the provenance of its shape; -1 for a size that belongs to no input axis. */
  readonly input: number;
  readonly axis: number;
  /** The help, if it does not follow from the relation. */
  readonly help?: string;
}

/** The failure of an operation, in place of a result. */
export interface Refused {
  readonly fault: PatternFault;
}

export type PatternResult<T = Value> = T | Refused;

export function isRefused(result: PatternResult<unknown>): result is Refused {
  return typeof result === 'object' && result !== null && 'fault' in result;
}

export function refuse(fault: PatternFault): Refused {
  return { fault };
}

/** The position of a piece of a pattern in its string. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

export function refuseNames(message: string, { at, length }: Place): Refused {
  return refuse({ kind: 'names', message, at, length });
}

export function refuseSyntax(message: string, { at, length }: Place): Refused {
  return refuse({ kind: 'syntax', message, at, length });
}

/** An axis of an input. */
export interface AxisOf {
  readonly input: number;
  readonly axis: number;
}

// The functions below return undefined if the relation is proved.

export function proveEqual(facts: Facts, left: Dim, right: Dim, message: string, of: AxisOf): Refused | undefined {
  if (left.key === right.key) return undefined;
  return owed(facts.equal(left, right), { message, left, right, relation: '==' }, of);
}

export function proveAtMost(facts: Facts, left: Dim, right: Dim, message: string, of: AxisOf): Refused | undefined {
  return owed(facts.lessEqual(left, right), { message, left, right, relation: '<=' }, of);
}

export function owed(
  answer: Answer,
  obligation: Omit<DimsFault, 'kind' | 'input' | 'axis' | 'help'>,
  of: AxisOf,
): Refused | undefined {
  return answer.answer === 'proved' ? undefined : refuse({ kind: 'dims', ...obligation, ...of });
}
