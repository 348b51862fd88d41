import { type Call, type Step, type Temp, tempsOf } from './program.ts';
import { multipliedState, withOwnOperands } from './second-operands.ts';

export interface Schedule {
  readonly steps: readonly Step[];
  /** The tensors that are returned; the caller owns each of them. */
  readonly outputs: readonly Temp[];
}

/**
 * Schedules the calls that are needed and disposes of every tensor right after its last use. A tensor of the state is
 * replaced as soon as its new value exists and nothing reads the old one any more, so that a step never holds two
 * copies of the model.
 */
export function schedule(
  emitted: readonly Call[],
  state: ReadonlyMap<string, Temp>,
  replacements: ReadonlyMap<string, Temp>,
  results: readonly Temp[],
): Schedule {
  const calls = [...emitted];
  const claimed = new Set<Temp>();
  /**
   * A tensor that is given away must belong to the function and be given away only once; otherwise it is cloned, which
   * shares the data.
   */
  const owned = (temp: Temp): Temp => {
    if (temp.owner === 'function' && !claimed.has(temp)) {
      claimed.add(temp);
      return temp;
    }
    const clone: Temp = { ...temp, owner: 'function', hint: 'clone' };
    calls.push({ results: [clone], fn: 'clone', args: [temp], path: '' });
    claimed.add(clone);
    return clone;
  };
  const outputs = results.map(owned);
  const next = [...replacements]
    .filter(([name, temp]) => state.get(name) !== temp)
    .map(([name, temp]) => ({ name, old: state.get(name)!, temp: owned(temp) }));

  const needed = withOwnOperands(neededCalls(calls, claimed), claimed);
  const multiplied = multipliedState(needed);
  const [made, last] = [new Map<Temp, number>(), new Map<Temp, number>()];
  for (const [i, call] of needed.entries()) {
    for (const temp of call.args.flatMap(tempsOf)) last.set(temp, i);
    for (const temp of call.results) {
      made.set(temp, i);
      last.set(temp, i);
    }
  }
  const after = <T>(place: (item: T) => number, items: readonly T[]): Map<number, T[]> => {
    const found = new Map<number, T[]>();
    for (const item of items) {
      const at = place(item);
      const there = found.get(at);
      if (there === undefined) found.set(at, [item]);
      else there.push(item);
    }
    return found;
  };
  const mortal = [...last.keys()].filter((temp) => temp.owner === 'function' && !claimed.has(temp));
  const dying = after((temp) => last.get(temp)!, mortal);
  const ready = after(({ old, temp }) => Math.max(made.get(temp)!, last.get(old) ?? -1), next);

  const steps: Step[] = [];
  const taken = new Set<Temp>();
  for (const [i, call] of needed.entries()) {
    for (const temp of call.args.flatMap(tempsOf)) {
      if (temp.owner !== 'state' || taken.has(temp)) continue;
      taken.add(temp);
      steps.push({ kind: 'take', temp, multiplied: multiplied.has(temp) });
    }
    steps.push({ kind: 'call', call });
    for (const { name, temp } of ready.get(i) ?? []) steps.push({ kind: 'replace', name, temp });
    const temps = dying.get(i);
    if (temps !== undefined) steps.push({ kind: 'free', temps });
  }
  return { steps, outputs };
}

/** Returns the calls that the given tensors depend on, in order. */
function neededCalls(calls: readonly Call[], results: ReadonlySet<Temp>): Call[] {
  const wanted = new Set(results);
  const kept: Call[] = [];
  for (let i = calls.length - 1; i >= 0; i--) {
    const call = calls[i]!;
    if (!call.results.some((result) => wanted.has(result))) continue;
    kept.push(call);
    for (const temp of call.args.flatMap(tempsOf)) wanted.add(temp);
  }
  return kept.reverse();
}
