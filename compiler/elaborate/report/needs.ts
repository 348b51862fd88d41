import type { Detail } from '../../diagnostics/details.ts';
import type { Diagnostic, Need } from '../../diagnostics/diagnostic.ts';
import { type Clause, clauseKey, Facts } from '../../dims/facts.ts';
import { strongest } from '../../dims/strongest.ts';
import { assuming, type Context, collecting, ownerKey } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { templateStore } from '../context/store.ts';
import { lineOf } from './place.ts';
import { clausesText } from './report.ts';

/** An elaboration under some conditions, and what is wrong with it. */
export interface Trial {
  readonly context: Context;
  readonly faults: Faults;
}

/** All that one declaration would have to state, with the message that reports it. */
export interface Needed {
  readonly fault: Diagnostic;
  /** The elaboration in which this message was found: under weaker conditions that come up before it. */
  readonly trial: Trial;
  /** Every fault that goes with it. */
  readonly faults: readonly Diagnostic[];
  /** What makes a message of the fault, wherever it is reported, that of all of them. */
  readonly all: (message: Diagnostic) => Diagnostic;
}

export interface Settled {
  readonly needed: readonly Needed[];
  /** What is wrong once everything is stated that would settle something. */
  readonly rest: Trial;
}

/** How often it is elaborated again: after each condition others may come up. */
const rounds = 24;

/** A condition, and the first message that asked for it. */
interface Wish {
  readonly clause: Clause;
  readonly fault: Diagnostic;
  readonly trial: Trial;
}

interface Owner {
  readonly need: Need;
  facts: Facts;
  readonly wishes: Wish[];
  readonly faults: Diagnostic[];
}

/**
 * What fails for want of a condition hides what would fail after it. So the conditions that would settle the faults are assumed, and
 * the same is elaborated again, until no new ones come up: then all of them are reported at once.
 */
export function settle(first: Trial, again: (context: Context) => Faults): Settled {
  const owners = new Map<string, Owner>();
  let trial = first;
  const earliest = new Map(first.faults);
  for (let i = 0; i < rounds && hasTrials(first.context) && addWishes(owners, trial); i++) {
    trial = tried(first.context, owners, all, again);
    for (const [key, fault] of trial.faults) if (!earliest.has(key)) earliest.set(key, fault);
  }
  const least = new Map([...owners].map(([key, { wishes }]) => [key, strongestOf(wishes)]));
  const isLess = [...owners].some(([key, { wishes }]) => least.get(key)?.length !== wishes.length);
  const checked = isLess ? tried(first.context, owners, (_, key) => least.get(key) ?? [], again) : trial;
  const isEnough = [...checked.faults.keys()].every((key) => trial.faults.has(key));
  const needed = [...owners].flatMap(([key, { need, wishes, faults: own }]): Needed[] => {
    const shown = (isEnough ? least.get(key) : undefined) ?? wishes;
    const [top, ...others] = shown;
    if (!top) return [];
    return [
      { fault: top.fault, trial: top.trial, faults: own, all: (d) => asOne(first.context, d, need, top, others) },
    ];
  });
  const rest = isEnough ? checked : trial;
  // What fails in spite of the conditions is reported as it was without them.
  const faults = new Map([...rest.faults].map(([key, fault]) => [key, earliest.get(key) ?? fault]));
  return { needed, rest: { ...rest, faults } };
}

/** Reports what a check finds: what lacks conditions as one message for each declaration that would have to state them. */
export function reportSettled(context: Context, check: (context: Context) => void): void {
  const again = (under: Context): Faults => {
    const found = new Map<string, Diagnostic>();
    check(collecting(under, found));
    return found;
  };
  const faults = again(context);
  const isSettling = [...faults.values()].some(({ needs }) => needs);
  const { needed, rest } = isSettling ? settle({ context, faults }, again) : { needed: [], rest: { faults } };
  for (const { fault, all: asAll } of needed) context.report(asAll(fault));
  for (const fault of rest.faults.values()) context.report(fault);
}

/** Counts one elaboration more, of those that one declaration may take. */
function hasTrials({ run: { trials } }: Context): boolean {
  trials.left--;
  return trials.left >= 0;
}

/** Whether there are conditions among what the faults need that were not assumed before. */
function addWishes(owners: Map<string, Owner>, trial: Trial): boolean {
  let isNew = false;
  for (const fault of trial.faults.values()) {
    const { needs } = fault;
    // That two sizes are one is a guess: more often one of them is wrong, and all that follows with it.
    if (!needs || needs.clauses.some(({ kind }) => kind === 'eq')) continue;
    const name = ownerKey(needs.owner);
    const owner = owners.get(name) ?? { need: needs, facts: Facts.none, wishes: [], faults: [] };
    const under = needs.clauses.reduce((facts, clause) => facts.assume(clause), owner.facts);
    if (under.isContradictory() || needs.clauses.every((clause) => owner.facts.proves(clause))) continue;
    owners.set(name, owner);
    owner.facts = under;
    owner.faults.push(fault);
    for (const clause of needs.clauses) owner.wishes.push({ clause, fault, trial });
    isNew = true;
  }
  return isNew;
}

const all = ({ wishes }: Owner): readonly Wish[] => wishes;

/** Templates hold what conditions of their own methods make of them; those of a model are nothing to them. */
function tried(
  context: Context,
  owners: ReadonlyMap<string, Owner>,
  wishesOf: (owner: Owner, key: string) => readonly Wish[],
  again: (context: Context) => Faults,
): Trial {
  const assumed = new Map(context.run.assumed);
  for (const [key, owner] of owners)
    assumed.set(key, [...(assumed.get(key) ?? []), ...wishesOf(owner, key).map(({ clause }) => clause)]);
  const { store } = context.run;
  const areModels = [...owners.values()].every(({ need }) => need.isModel);
  const under = assuming(context, assumed, areModels ? store : templateStore(store.patterns));
  return { context: under, faults: again(under) };
}

/** Those that the others do not imply. */
function strongestOf(wishes: readonly Wish[]): readonly Wish[] {
  return strongest(wishes.map(({ clause }) => clause)).flatMap((clause) => {
    const wish = wishes.find((one) => clauseKey(one.clause) === clauseKey(clause));
    return wish ? [wish] : [];
  });
}

/** One message for all conditions of one declaration. */
function asOne(context: Context, message: Diagnostic, { where }: Need, top: Wish, others: readonly Wish[]): Diagnostic {
  const own = top.fault.needs?.clauses.map(clauseKey) ?? [];
  const further = others.filter(({ clause }) => !own.includes(clauseKey(clause)));
  if (further.length === 0 && own.length === others.length + 1) return message;
  const details = further.map(({ clause, fault }): Detail => {
    return { kind: 'needed', clause: clausesText([clause]), at: lineOf(context, fault.span) };
  });
  const text = clausesText([top, ...others].map(({ clause }) => clause));
  return { ...message, details: [...message.details, ...details], help: `add \`where ${text}\` to ${where}` };
}
