import type { Facts } from '../../dims/facts.ts';
import type { Builder } from '../../graphs/builder.ts';
import type { ContractionPlan } from '../../graphs/contraction.ts';
import type { Value } from '../../ir/graph.ts';
import type { OpAttributes, OpName } from '../../ir/names.ts';
import { isRefused, type PatternResult, refuse } from './fault.ts';
import {
  type Arrow,
  type AxisList,
  type Einsum,
  parseArrow,
  parseAxes,
  parseEinsum,
  parseStarred,
  type StarredList,
} from './pattern.ts';

/**
 * Caches of parsed patterns, by text, and of contractions, by axis names: a model has few of them and uses each in
 * every block.
 */
export interface PatternStore {
  readonly arrows: Map<string, PatternResult<Arrow>>;
  readonly einsums: Map<string, PatternResult<Einsum>>;
  readonly axes: Map<string, PatternResult<AxisList>>;
  readonly starred: Map<string, PatternResult<StarredList>>;
  readonly contractions: Map<string, ContractionPlan>;
}

export function patternStore(): PatternStore {
  return { arrows: new Map(), einsums: new Map(), axes: new Map(), starred: new Map(), contractions: new Map() };
}

/** The graph under construction, the facts about dims, and the pattern caches of the run. */
export interface PatternContext {
  readonly build: Builder;
  readonly facts: Facts;
  readonly store: PatternStore;
}

export function arrowOf({ store }: PatternContext, pattern: string): PatternResult<Arrow> {
  return stored(store.arrows, pattern, parseArrow);
}

export function einsumOf({ store }: PatternContext, pattern: string): PatternResult<Einsum> {
  return stored(store.einsums, pattern, parseEinsum);
}

export function axesOf({ store }: PatternContext, pattern: string): PatternResult<AxisList> {
  return stored(store.axes, pattern, parseAxes);
}

export function starredOf({ store }: PatternContext, pattern: string): PatternResult<StarredList> {
  return stored(store.starred, pattern, parseStarred);
}

export function stored<T>(known: Map<string, T>, key: string, make: (key: string) => T): T {
  const found = known.get(key);
  if (found !== undefined) return found;
  const made = make(key);
  known.set(key, made);
  return made;
}

/** Emits one operator and returns its value; refused if an input is. */
export function emit<O extends OpName>(
  { build }: PatternContext,
  op: O,
  inputs: readonly PatternResult[],
  attributes: OpAttributes[O],
): PatternResult {
  const values: Value[] = [];
  for (const input of inputs) {
    if (isRefused(input)) return input;
    values.push(input);
  }
  const emitted = build.tryEmit(op, values, attributes);
  return 'fault' in emitted ? refuse({ kind: 'operator', refusal: emitted }) : emitted.values[0];
}
