import type { Detail } from '../../diagnostics/details.ts';
import type { Diagnostic, Need } from '../../diagnostics/diagnostic.ts';
import { type Clause, clauseKey, Facts } from '../../dims/facts.ts';
import { strongest } from '../../dims/strongest.ts';
import { assuming, type Context, collecting, ownerKey } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { templateStore } from '../context/store.ts';
import { isDoubtful } from '../source/doubtful.ts';
import { lineOf } from './place.ts';
import { clausesText } from './report.ts';

/** An elaboration under additional conditions, and its faults. */
export interface Trial {
  readonly context: Context;
  readonly faults: Faults;
}

/** All conditions that one declaration lacks, with the message that reports them. */
export interface Needed {
  readonly fault: Diagnostic;
  /** The elaboration in which this message was found, with those conditions assumed whose faults came first. */
  readonly trial: Trial;
  /** Every fault that these conditions settle. */
  readonly faults: readonly Diagnostic[];
  /** Turns a message about `fault`, wherever it is reported, into one about all the conditions. */
  readonly all: (message: Diagnostic) => Diagnostic;
}

export interface Settled {
  readonly needed: readonly Needed[];
  /** The result with all of these conditions assumed. */
  readonly rest: Trial;
}

/** The maximum number of repeated elaborations: each condition may reveal others. */
const rounds = 24;

/** A condition, and the first message that requires it. */
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
 * A fault for lack of a condition hides later faults. So the conditions that would settle the faults are assumed and
 * elaboration is repeated until no new conditions are found; then all of them are reported together.
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
  // Faults that remain are reported as they were without the conditions.
  const faults = new Map([...rest.faults].map(([key, fault]) => [key, earliest.get(key) ?? fault]));
  return { needed, rest: { ...rest, faults } };
}

/**
 * Runs a check and reports its faults; lacking conditions give one message for each declaration that should state
 * them.
 */
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

/** Counts one more trial elaboration; false if none are left for the declaration. */
function hasTrials({ run: { trials } }: Context): boolean {
  trials.left--;
  return trials.left >= 0;
}

/** Adds the conditions that the faults need; returns whether any were new. */
function addWishes(owners: Map<string, Owner>, trial: Trial): boolean {
  let isNew = false;
  for (const fault of trial.faults.values()) {
    const { needs } = fault;
    // Equality of two sizes is not assumed: more often one of them is wrong, and what follows from it as well.
    if (!needs || needs.clauses.some(({ kind }) => kind === 'eq')) continue;
    // Nor is what only a body with unparsed text needs: its callers would be told to ensure it.
    if (isDoubtful(trial.context.run.program, fault)) continue;
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

/**
 * Elaborates again under the conditions. Templates depend on conditions of their own methods, but not on those of a
 * model.
 */
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

/** The wishes that the others do not imply. */
function strongestOf(wishes: readonly Wish[]): readonly Wish[] {
  return strongest(wishes.map(({ clause }) => clause)).flatMap((clause) => {
    const wish = wishes.find((one) => clauseKey(one.clause) === clauseKey(clause));
    return wish ? [wish] : [];
  });
}

/** Combines all conditions of one declaration into one message. */
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
