import type { Span } from '../../../grammar/span.ts';
import type { ModelDecl, ModelField, ModelMember, Param } from '../../../grammar/tree.ts';
import type { Detail } from '../../diagnostics/details.ts';
import { type Diagnostic, diagnosticKey, failsHere, type Note } from '../../diagnostics/diagnostic.ts';
import type { MessageCode } from '../../diagnostics/messages.ts';
import { groupedBy } from '../../lists.ts';
import { assuming, type Context, fork, ownerKey } from '../context/context.ts';
import type { Faults } from '../context/faults.ts';
import { settle } from '../report/needs.ts';
import { lineOf } from '../report/place.ts';
import type { ModelAt } from '../source/recipe-chain.ts';
import { type Attempt, attempt, attemptForm } from './attempt.ts';
import { namedBy } from './brought-in.ts';
import { declaredAt } from './declared-at.ts';
import type { ModelGraph } from './model.ts';

/**
 * Returns the faults of a variant in something that it inherits, such as the recipe of its base, each reported at
 * the one line without which it does not occur. `again` checks a model.
 */
export function blamedOnLines(
  context: Context,
  { decl, file }: ModelAt,
  faults: Faults,
  again: (model: ModelGraph) => Faults,
): readonly Diagnostic[] {
  if (faults.size === 0) return [];
  const lines: readonly Line[] = [...decl.params, ...decl.members];
  const tried = lines.slice(0, mostTried).flatMap((line) => {
    const without = {
      ...decl,
      params: decl.params.filter((p) => p !== line),
      members: decl.members.filter((m) => m !== line),
    };
    const { model, faults: own } = attemptForm(fork(context), { decl: without, file });
    return model && own.size === 0 ? [{ line, model, left: again(model) }] : [];
  });
  return [...faults].map(([key, fault]) => {
    const guilty = tried.filter(({ left }) => !left.has(key));
    const [only] = guilty;
    if (!only || guilty.length > 1) return fault;
    return atLine(context, only.line, fault, declaredAt(fork(context), only.model, only.line), 0);
  });
}

/** A message, and the faults that it covers. */
interface Explanation {
  readonly message: Diagnostic;
  readonly about: readonly Marked[];
}

/** A fault with keys to compare it with others. */
interface Marked {
  readonly fault: Diagnostic;
  readonly key: string;
  /** Equal for faults that differ only in numbers: a line that changes only these is not to blame. */
  readonly likeness: string;
}

/** A line of a model, which may be to blame. */
export type Line = Param | ModelMember;

/** Codes of faults that concern one piece of source alone, whatever a variant changes around it. */
const ofText = new Set<MessageCode>([
  'CROB2001',
  'CROB2002',
  'CROB2003',
  'CROB2004',
  'CROB2008',
  'CROB2116',
  'CROB2222',
  'CROB2303',
]);

/**
 * Returns the faults of a model, reported at the line to blame. A fault that the base also has is reported as the
 * base's. Any other fault outside of a variant's own source is caused by the variant: by the one line without which
 * it does not occur, if there is exactly one. The same applies to overrides in any model. Further faults caused by
 * the same line are only counted.
 */
export function explained(context: Context, at: ModelAt, faults: Faults): readonly Diagnostic[] {
  return faults.size === 0 ? [] : explanations(context, at, faults).map(({ message }) => message);
}

/**
 * Explains the faults of a model: lacking conditions give one message for each declaration that should state them,
 * followed by the faults that remain with these conditions.
 */
function explanations(context: Context, at: ModelAt, faults: Faults): readonly Explanation[] {
  if (![...faults.values()].some(({ needs }) => needs)) return blamed(context, at, faults);
  const ofBase = lackingInBase(context, at);
  if (ofBase) {
    const { faults: own } = attempt(fork(ofBase.under), at);
    return [...ofBase.explained, ...(own.size > 0 ? withConditions(ofBase.under, at, own) : [])];
  }
  return withConditions(context, at, faults);
}

/** Like `explanations`, without looking for conditions that the base lacks. */
function withConditions(context: Context, at: ModelAt, faults: Faults): readonly Explanation[] {
  const { needed, rest } = settle({ context, faults }, (under) => attempt(under, at).faults);
  const explained = needed.flatMap(({ fault, trial, faults: others, all }): Explanation[] => {
    const key = diagnosticKey(fault);
    const found = blamed(trial.context, at, trial.faults).find(({ about }) => about.some((one) => one.key === key));
    if (!found) return [];
    const message = found.message.needs ? all(found.message) : found.message;
    return [{ message, about: [...others.map(marked), ...found.about] }];
  });
  return [...explained, ...(rest.faults.size > 0 ? blamed(rest.context, at, rest.faults) : [])];
}

/**
 * Explains the conditions that a variant's base lacks, which the base has to state; `under` is the context that
 * assumes them, for checking the variant itself.
 */
function lackingInBase(
  context: Context,
  at: ModelAt,
): { readonly explained: readonly Explanation[]; readonly under: Context } | undefined {
  const base = baseOf(at);
  if (!base) return undefined;
  const before = withConditionsOf(context, at, base);
  const { faults } = attempt(fork(before), base);
  if (![...faults.values()].some(({ needs }) => needs)) return undefined;
  const { needed, rest } = settle({ context: before, faults }, (under) => attempt(under, base).faults);
  if (needed.length === 0) return undefined;
  const { assumed, store } = rest.context.run;
  const stated = assumed.get(ownerKey(base.decl.name.span)) ?? [];
  const under = assuming(context, new Map(assumed).set(ownerKey(at.decl.name.span), stated), store);
  return { explained: explanations(before, base, faults), under };
}

function blamed(context: Context, at: ModelAt, faults: Faults): readonly Explanation[] {
  const { decl } = at;
  const mayBeInherited = ({ span }: Diagnostic) => !isWithin(span, decl.span) || isSame(span, decl.name.span);
  const base = [...faults.values()].some(mayBeInherited) ? baseOf(at) : undefined;
  const under = base && withConditionsOf(context, at, base);
  const inBase = base && under && attempt(fork(under), base);
  const here = asInherited(decl, faults);
  const ofBoth = likenesses(base && inBase ? asInherited(base.decl, inBase.faults) : []);
  const ofHere = likenesses(here);
  const own = here.filter(({ likeness }) => !ofBoth.has(likeness));
  const ofBase =
    base && under && inBase && own.length < here.length
      ? explanations(under, base, inBase.faults).filter(({ about }) =>
          about.some(({ likeness }) => ofHere.has(likeness)),
        )
      : [];
  const evidence = { brings: broughtIn(context, at, base), without: attemptsWithout(context, at, inBase) };
  return [...ofBase, ...ownExplanations(context, at, own, evidence)];
}

/**
 * Returns a predicate: whether a piece of a variant's source introduces a module or function that its base does not
 * use and that a fault is in.
 */
function broughtIn(
  { run: { program } }: Context,
  { decl, file }: ModelAt,
  base: ModelAt | undefined,
): Evidence['brings'] {
  const known = base && namedBy(program, { span: base.decl.span, file: base.file });
  return (text, { span }) => {
    if (!decl.base || isWithin(span, decl.span)) return false;
    const named = [...namedBy(program, { span: text, file })];
    return named.some((one) => isWithin(span, one.span) && !known?.has(one));
  };
}

/**
 * Returns a context in which the base also has the conditions that the variant is tried with, so that both fail in
 * the same way.
 */
function withConditionsOf(context: Context, { decl }: ModelAt, base: ModelAt): Context {
  const { assumed, store } = context.run;
  const own = assumed.get(ownerKey(decl.name.span));
  if (!own) return context;
  const key = ownerKey(base.decl.name.span);
  return assuming(context, new Map(assumed).set(key, [...(assumed.get(key) ?? []), ...own]), store);
}

/** The model without a line, and the likenesses of its faults. */
interface Without {
  readonly model: ModelGraph | undefined;
  readonly left: ReadonlySet<string>;
}

/** The evidence for finding the line to blame. */
interface Evidence {
  /** Whether a piece of source introduces the module in which a fault occurs: the fault is then reported there. */
  brings(text: Span, fault: Diagnostic): boolean;
  /** Returns the result without a line; undefined once too many lines have been tried. */
  without(line: Line): Without | undefined;
}

/** The maximum number of lines that are tried; each costs an elaboration of the model. Other lines are not blamed. */
export const mostTried = 48;

function attemptsWithout(context: Context, { decl, file }: ModelAt, inBase: Attempt | undefined) {
  const known = new Map<Line, Without>();
  return (line: Line): Without | undefined => {
    const found = known.get(line);
    if (found || known.size >= mostTried) return found;
    const params = decl.params.filter((one) => one !== line);
    const members = decl.members.filter((one) => one !== line);
    const saysNothing = params.length + members.length + decl.where.length === 0;
    const { model, faults } =
      inBase && saysNothing ? inBase : attempt(fork(context), { decl: { ...decl, params, members }, file });
    const made: Without = { model, left: likenesses(asInherited(decl, faults)) };
    known.set(line, made);
    return made;
  };
}

function ownExplanations(
  context: Context,
  at: ModelAt,
  faults: readonly Marked[],
  { brings, without }: Evidence,
): readonly Explanation[] {
  const { decl } = at;
  // Other faults that occur without a line may hide this one.
  const known = likenesses(faults);
  const guiltyOf = ({ fault, likeness }: Marked): readonly Line[] => {
    const freed = suspects(decl, fault).flatMap((line) => {
      const left = without(line)?.left;
      return left && !left.has(likeness) ? [{ line, left }] : [];
    });
    const better = freed.filter(({ left }) => [...left].every((one) => known.has(one)));
    return (better.length > 0 ? better : freed).map(({ line }) => line);
  };
  const explained: Explanation[] = [];
  const ofLines: { readonly line: Line; readonly one: Marked }[] = [];
  for (const one of faults) {
    const { fault } = one;
    const guilty = guiltyOf(one);
    const [line, second] = guilty;
    const own = brings(decl.span, fault);
    // An override inside an introduced module is not the line that introduces it.
    const isModules = own && line && (!isOverride(line) || brings(line.span, fault));
    if (line && !second && !touches(fault, line.span) && !isModules) ofLines.push({ line, one });
    else if (own) explained.push({ message: inText(decl, fault), about: [one] });
    else if (
      line &&
      second &&
      guilty.length === 2 &&
      guilty.some(isOverride) &&
      !guilty.every((one) => touches(fault, one.span))
    )
      explained.push({ message: betweenLines([line, second], fault), about: [one] });
    else {
      const message = whereItShows(decl, fault, guilty.length);
      // An item that is not there may have been taken away by a base.
      const other = fault.code === 'CROB2310' ? contradicted(context, at, one, known) : undefined;
      explained.push({ message: other ? beside(message, other) : message, about: [one] });
    }
  }
  for (const [line, group] of groupedBy(ofLines, (found) => found.line)) {
    // Faults of the line itself have already been reported.
    if (explained.some(({ message }) => isWithin(message.span, line.span))) continue;
    const model = without(line)?.model;
    const [{ one: first }] = group;
    const declared = model && declaredAt(fork(context), model, line);
    const message = atLine(context, line, first.fault, declared, group.length - 1);
    const other = contradicted(context, at, first, known);
    explained.push({ message: other ? beside(message, other) : message, about: group.map(({ one }) => one) });
  }
  return explained;
}

/**
 * Returns the one line of a base that sets a value and without which the variant would be correct as well, with no
 * faults other than `known`.
 */
function contradicted(
  context: Context,
  at: ModelAt,
  { likeness }: Marked,
  known: ReadonlySet<string>,
): Line | undefined {
  const found: Line[] = [];
  let tried = 0;
  const chain = new Set<ModelDecl>([at.decl]);
  for (let base = baseOf(at); base && !chain.has(base.decl); base = baseOf(base)) {
    chain.add(base.decl);
    const { members, base: extended } = base.decl;
    // A path of one step in a variant may be a parameter of its base.
    const lines = members.filter((line) => line.kind === 'model-field' && (extended !== undefined || isOverride(line)));
    for (const line of lines) {
      if (tried++ >= mostTried) return undefined;
      const { faults } = attempt(fork(context), withoutLine(at, base, line));
      const left = likenesses(asInherited(at.decl, faults));
      if (!left.has(likeness) && [...left].every((one) => known.has(one))) found.push(line);
    }
  }
  return found.length === 1 ? found[0] : undefined;
}

/** Returns a copy of a variant in which one of its bases lacks a line. */
function withoutLine(at: ModelAt, owner: ModelAt, line: Line): ModelAt {
  const { decl, file } = at;
  if (decl === owner.decl) return { decl: { ...decl, members: decl.members.filter((one) => one !== line) }, file };
  const base = baseOf(at);
  if (!base || !decl.base) return at;
  const { name } = decl.base;
  const changed = withoutLine(base, owner, line);
  return { decl, file: { ...file, lookup: (one) => (one === name ? changed : file.lookup(one)) } };
}

function beside(message: Diagnostic, { span }: Line): Diagnostic {
  return { ...message, notes: [{ span, text: 'without this line it would be right' }, ...message.notes].slice(0, 3) };
}

function marked(fault: Diagnostic): Marked {
  const { code, span, message } = fault;
  const likeness = `${code} ${span.file}:${span.start}-${span.end} ${withoutNumbers(message)}`;
  return { fault, key: diagnosticKey(fault), likeness };
}

/** Marks the faults of a model as they would be reported for a variant that inherits them. */
function asInherited({ name }: ModelDecl, faults: Faults): readonly Marked[] {
  const own = new RegExp(`\\b${name.name}\\b`, 'g');
  const all = [...faults.values()].map((fault): Marked => {
    if (!isSame(fault.span, name.span)) return marked(fault);
    const message = fault.message.replace(own, '');
    return { fault, key: `${fault.code} ${message}`, likeness: `${fault.code} ${withoutNumbers(message)}` };
  });
  return [...new Map(all.map((one) => [one.key, one])).values()];
}

function withoutNumbers(message: string): string {
  return message.replace(/\d+/g, '#');
}

function likenesses(faults: readonly Marked[]): ReadonlySet<string> {
  return new Set(faults.map(({ likeness }) => likeness));
}

export function baseOf({ decl, file }: ModelAt): ModelAt | undefined {
  const found = decl.base && file.lookup(decl.base.name);
  return found?.decl.kind === 'model' ? { decl: found.decl, file: found.file } : undefined;
}

/**
 * Returns the lines that may cause a fault: all lines of a variant if the fault is outside of it; otherwise only
 * overrides, whose effect may be elsewhere in any model.
 */
function suspects(decl: ModelDecl, fault: Diagnostic): readonly Line[] {
  if (ofText.has(fault.code)) return [];
  // A circular dependency is already reported at one of its lines, with the others.
  if (fault.code === 'CROB2305' && touches(fault, decl.span)) return [];
  return decl.base && !touches(fault, decl.span) ? [...decl.params, ...decl.members] : decl.members.filter(isOverride);
}

export function isOverride(line: Line): line is ModelField {
  return 'kind' in line && line.kind === 'model-field' && line.path.steps.length > 1;
}

/** Reports a fault that several lines of a variant cause together at the variant's name. */
function whereItShows(decl: ModelDecl, fault: Diagnostic, guilty: number): Diagnostic {
  if (!decl.base || touches(fault, decl.span)) return fault;
  if (ofText.has(fault.code) || guilty === 1) return inText(decl, fault);
  return { ...fault, span: decl.name.span, notes: notesOf(fault) };
}

/** Adds a note to a fault in source that a variant uses. */
function inText({ name }: ModelDecl, fault: Diagnostic): Diagnostic {
  return { ...fault, notes: [...fault.notes.slice(0, 2), { span: name.span, text: `in ${name.name}` }] };
}

/** Reports two contradictory lines, either of which could be removed. */
function betweenLines([first, second]: readonly [Line, Line], fault: Diagnostic): Diagnostic {
  const [at, other] = touches(fault, first.span) ? [first, second] : [second, first];
  const note: Note = { span: other.span, text: 'without this line it would be right' };
  if (isWithin(fault.span, at.span)) return { ...fault, notes: [note, ...fault.notes].slice(0, 3) };
  return { ...fault, span: at.span, notes: notesOf(fault, note) };
}

function atLine(
  context: Context,
  line: Line,
  fault: Diagnostic,
  declared: Note | undefined,
  others: number,
): Diagnostic {
  const more = others === 0 ? [] : [`${others} more ${others === 1 ? 'error comes' : 'errors come'} of it`];
  const { needs, help, ...rest } = fault;
  // The line of the message already shows this definition.
  const own = lineOf(context, line.span);
  const isOwn = (one: Detail) =>
    typeof one !== 'string' && one.kind === 'definition' && one.at.file === own.file && one.at.line === own.line;
  const details = [...fault.details.filter((one) => !isOwn(one)), ...more];
  // If a line has made two sizes differ, an equality is not suggested as a condition.
  const settling = needs?.clauses.some(({ kind }) => kind === 'eq')
    ? { help: undefined }
    : needs
      ? { needs, help }
      : { help };
  return {
    ...rest,
    ...settling,
    span: line.span,
    notes: notesOf(fault, declared),
    details,
  };
}

/** The notes of a moved fault: at most three, each span once. */
function notesOf(fault: Diagnostic, first?: Note): readonly Note[] {
  const here = { span: fault.span, text: fault.code === 'CROB2304' ? 'declared here' : failsHere };
  const all = [...(first ? [first] : []), here, ...fault.notes];
  return all.filter((note, i) => all.findIndex((other) => isSame(other.span, note.span)) === i).slice(0, 3);
}

function touches({ span, notes }: Diagnostic, text: Span): boolean {
  return isWithin(span, text) || notes.some((note) => isWithin(note.span, text));
}

export function isWithin(span: Span, text: Span): boolean {
  return span.file === text.file && text.start <= span.start && span.end <= text.end;
}

function isSame(a: Span, b: Span): boolean {
  return a.file === b.file && a.start === b.start && a.end === b.end;
}
