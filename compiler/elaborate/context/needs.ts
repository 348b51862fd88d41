import { hasGradient } from '../../gradients/table.ts';
import type { Node, Value } from '../../ir/graph.ts';
import { isFloat } from '../../ops/typing.ts';
import type { Call, TemplateBody } from './elaborated.ts';
import { flatten } from './template.ts';

/**
 * For each value in a body, the set of results that need it, as bits: bit i is result i, results from the 29th on
 * share one bit, and buffer updates have a bit of their own.
 */
export interface Needs {
  /** For each weight, in the order of the body's `weights`. */
  readonly weights: readonly number[];
  /** For each result of each call. */
  readonly calls: readonly (readonly number[])[];
  /** For each placeholder. */
  readonly placeholders: readonly number[];
  /** Calls that anything depends on, if a call is treated as a whole. */
  readonly wholeCalls: readonly Call[];
}

/**
 * Which operators connect a value to its uses: all of them, or those that propagate a gradient. Integers and
 * booleans, operators without a gradient, and buffer updates propagate none.
 */
export type Flow = 'values' | 'gradients';

/** Cached needs of bodies. */
export type NeedsStore =
  | { readonly flow: 'values'; readonly ofBodies: Map<TemplateBody, Needs> }
  | {
      readonly flow: 'gradients';
      readonly ofBodies: Map<TemplateBody, Needs>;
      readonly smooth: Map<TemplateBody, boolean>;
      /** For smooth bodies, whose needs are the same in both flows. */
      readonly values: NeedsStore;
    };

const last = 28;
export const buffersBit = 1 << (last + 1);
/** Marks what the ends depend on if a call depends on all of its arguments, whatever its body does. */
const callsBit = 1 << (last + 2);

export function bitOf(result: number): number {
  return 1 << Math.min(result, last);
}

type Inside = Pick<TemplateBody, 'nodes' | 'calls' | 'placeholders' | 'weights'>;

/** Returns the needs of a body. Computed on demand: most templates of a training model are never analysed. */
export function needsOfBody(known: NeedsStore, body: TemplateBody): Needs {
  const found = known.ofBodies.get(body);
  if (found) return found;
  if (known.flow === 'gradients' && isSmooth(known.smooth, body)) return needsOfBody(known.values, body);
  const bits = new Bits(body.nodes, known.flow);
  const results = flatten(body.result);
  for (let i = 0; i < results.length; i++) bits.add(results[i]!, bitOf(i) | callsBit);
  if (known.flow === 'values') for (const { value } of body.updates) bits.add(value, buffersBit | callsBit);
  const needs = needsBehind(known, bits, body);
  known.ofBodies.set(body, needs);
  return needs;
}

/** Like `needsOfBody`, for a list of values that count as one result. */
export function needsOfValues(
  known: NeedsStore,
  values: readonly Value[],
  { nodes, calls, placeholders = [] }: ReadTogether,
): Needs {
  const bits = new Bits(nodes, known.flow);
  for (const value of values) bits.add(value, bitOf(0) | callsBit);
  return needsBehind(known, bits, { nodes, calls, placeholders, weights: [] });
}

/**
 * Whether gradients propagate wherever values do: no operator of the body or its callees stops them. Most bodies are
 * smooth, and this check is faster than a second analysis.
 */
function isSmooth(known: Map<TemplateBody, boolean>, body: TemplateBody): boolean {
  let smooth = known.get(body);
  if (smooth === undefined) {
    smooth = body.updates.length === 0 && !body.nodes.some(stopsGradients);
    for (let i = 0; smooth && i < body.calls.length; i++) smooth = isSmooth(known, body.calls[i]!.template.body);
    known.set(body, smooth);
  }
  return smooth;
}

/**
 * Whether a node takes floats and has no gradient for them. Constants and random draws have no inputs, so they stop
 * nothing.
 */
function stopsGradients(node: Node): boolean {
  const { inputs, outputs } = node;
  if (inputs.length === 0 || (isFloat(outputs[0]!.type.dtype) && outputs.length === 1 && hasGradient(node)))
    return false;
  for (let i = 0; i < inputs.length; i++) {
    const { type, node: from } = inputs[i]!;
    if (isFloat(type.dtype) && (from.inputs.length > 0 || from.op === 'input' || from.op === 'weight')) return true;
  }
  return false;
}

type ReadTogether = Pick<TemplateBody, 'nodes' | 'calls'> & Partial<Pick<TemplateBody, 'placeholders'>>;

/** The bits of a body's values. Value ids are assigned in order of creation, so those of a body are close together. */
class Bits {
  readonly first: number;
  // Not a typed array: bodies are small, and a typed array's memory is allocated outside the heap.
  readonly of: number[];
  readonly #floatsAlone: boolean;

  constructor(nodes: readonly Node[], flow: Flow) {
    this.#floatsAlone = flow === 'gradients';
    this.first = nodes[0]?.id ?? 0;
    const last = nodes.at(-1)?.outputs.at(-1)?.id ?? this.first;
    this.of = new Array<number>(last - this.first + 1).fill(0);
  }

  add({ id, type }: Value, needed: number): void {
    if (this.#floatsAlone && !isFloat(type.dtype)) return;
    this.of[id - this.first]! |= needed;
  }

  get({ id }: Value): number {
    return this.of[id - this.first] ?? 0;
  }
}

/** Propagates bits backwards through a body, once, from its results. */
function needsBehind(known: NeedsStore, bits: Bits, { nodes, calls, placeholders, weights }: Inside): Needs {
  const { first, of } = bits;
  const gradients = known.flow === 'gradients';
  const ofCalls: (readonly number[])[] = new Array(calls.length);
  let nextCall = calls.length - 1;
  for (let at = nodes.length; at >= 0; at--) {
    const node = nodes[at];
    if (node && node.inputs.length > 0) {
      const { inputs, outputs } = node;
      let needed = of[outputs[0].id - first]!;
      for (let i = 1; i < outputs.length; i++) needed |= of[outputs[i]!.id - first]!;
      if (needed !== 0 && !gradients) for (let i = 0; i < inputs.length; i++) of[inputs[i]!.id - first]! |= needed;
      else if (needed !== 0 && hasGradient(node)) for (let i = 0; i < inputs.length; i++) bits.add(inputs[i]!, needed);
    }
    for (let call = calls[nextCall]; call && call.at >= at; call = calls[--nextCall])
      ofCalls[nextCall] = throughCall(known, call, bits);
  }
  return {
    weights: weights.map(({ outputs }) => bits.get(outputs[0])),
    calls: ofCalls,
    placeholders: placeholders.map((placeholder) => bits.get(placeholder)),
    wholeCalls: calls.filter((_, i) => ofCalls[i]!.some((needed) => (needed & callsBit) !== 0)),
  };
}

function throughCall(known: NeedsStore, { template, args, results }: Call, bits: Bits): readonly number[] {
  const ofResults: number[] = [];
  let any = 0;
  for (let i = 0; i < results.length; i++) {
    const needed = bits.get(results[i]!);
    ofResults.push(needed);
    any |= needed;
  }
  if (any === 0) return ofResults;
  const { placeholders } = needsOfBody(known, template.body);
  for (let i = 0; i < args.length; i++) {
    const ofArg = placeholders[i] ?? 0;
    let needed = any & callsBit;
    if ((ofArg & buffersBit) !== 0) needed = any;
    else for (let r = 0; r < ofResults.length; r++) if ((ofArg & bitOf(r)) !== 0) needed |= ofResults[r]!;
    bits.add(args[i]!, needed);
  }
  return ofResults;
}

/**
 * Returns which results of a call are read if `read` is read of the body; 0 for none. A call that is read at all
 * also updates its buffers.
 */
export function readOfCall(needs: Needs, call: number, read: number): number {
  const results = needs.calls[call] ?? [];
  let below = 0;
  for (let i = 0; i < results.length; i++) if ((results[i]! & read) !== 0) below |= bitOf(i);
  return below === 0 ? 0 : below | buffersBit;
}
