import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { type Draw, draws } from '../../draws.ts';
import { type Bench, builtOf, drawnFile, hashOf, type Source } from './bench.ts';
import { type Base, chainSource, type Line, settingText, type Valued } from './case.ts';
import { type Chain, drawChains, literalSource, type Misfit, plainSource, symbolicSource } from './chain.ts';
import { hasCircle } from './circles.ts';
import { covers, type Deciding, deciding } from './meaning.ts';
import { type ModelGraph, pathText, valueAt } from './places.ts';
import { constantly } from './right-side.ts';
import { same, type Value } from './value.ts';
import { writtenOut } from './written-out.ts';

/** Something that an override did and that it must not. */
export interface Finding {
  readonly kind: string;
  /** What was drawn, to be made smaller; undefined where there is no chain that is right. */
  readonly chain: Chain | undefined;
  readonly source: string;
  readonly detail: string;
}

export interface Tally {
  /** Chains held against their meaning, and those of them that have another graph than their base. */
  held: number;
  changed: number;
  /** Lines that do not fit the model; of these, how many are refused at the line itself, or have it in a note. */
  refused: number;
  refusedAtLine: number;
  refusedInNote: number;
  /** Chains with lines that read parts which other lines change. */
  crossing: number;
  /** Chains that are refused as the value of a line depends on itself. */
  circular: number;
  /** Chains given up, as a later line changed what an earlier one reads. */
  unsettled: number;
  /** Forms of chains that are refused since nothing depends on a line. */
  withoutEffect: number;
  /** Paths that are none, and were refused at their line. */
  badPaths: number;
}

export const noTally = (): Tally => ({
  held: 0,
  changed: 0,
  refused: 0,
  refusedAtLine: 0,
  refusedInNote: 0,
  crossing: 0,
  circular: 0,
  withoutEffect: 0,
  unsettled: 0,
  badPaths: 0,
});

/** Draws chains of variants of the bases and holds each against its meaning. */
export function holdChains(
  bases: readonly Base[],
  { seed, chains: count }: { readonly seed: number; readonly chains: number },
  tally: Tally,
  bench: Bench,
): Finding[] {
  const draw = draws(seed);
  const { chains, unsettled, misfits } = drawChains(draw, bases, `V${seed}`, count, bench);
  tally.unsettled += unsettled;
  return [...holdMisfits(misfits, tally, bench), ...holdAll(draw, chains, tally, bench)];
}

/** Holds one chain, and everything that can be held of it. */
export function holdChain(chain: Chain, bench: Bench): Finding[] {
  return holdAll({ ...draws(1), once: () => true }, [chain], noTally(), bench);
}

/** A line that is refused as a literal is refused as it was drawn; either way the message shows it. */
function holdMisfits(misfits: readonly Misfit[], tally: Tally, bench: Bench): Finding[] {
  const symbolic = misfits.flatMap(({ chain, line }, i) =>
    readsItself(line)
      ? [{ line, source: symbolicSource(chain, `${chain.id}_misfit_${i}`, [...chain.lines.map(asLiteral), line]) }]
      : [],
  );
  const outcomes = bench(symbolic.map(({ source }) => source));
  const accepted = symbolic.flatMap(({ line, source }): Finding[] =>
    outcomes.get(source.name)!.model
      ? [
          {
            kind: 'accepted, and refused with numbers',
            chain: undefined,
            source: source.text,
            detail: `with ${show(line.value)}`,
          },
        ]
      : [],
  );
  const elsewhere = misfits.flatMap((misfit): Finding[] => {
    tally.refused++;
    const place = blamed(misfit);
    if (place === 'line') tally.refusedAtLine++;
    if (place === 'note') tally.refusedInNote++;
    if (place !== 'elsewhere') return [];
    const { source, outcome, line } = misfit;
    const detail = `the line is ${settingText(line)}\n${sayings(outcome.said)}`;
    return [{ kind: 'refused, and the line is not shown', chain: undefined, source: source.text, detail }];
  });
  return [...accepted, ...elsewhere];
}

function asLiteral(line: Valued): Valued {
  return { ...line, right: constantly(line.value) };
}

/** What else a line reads, it may change itself. */
function readsItself({ steps, right }: Line): boolean {
  return right.reads.length > 0 && right.reads.every((from) => covers(steps, from));
}

/** Where a refusal points: its first place at the line, a note at it, or neither. */
function blamed({ outcome: { said, start }, source: { text }, line }: Misfit): 'line' | 'note' | 'elsewhere' {
  const written = settingText(line);
  const from = start + text.indexOf(`  ${written}\n`);
  const isAt = ({ file, start: begin, end }: Diagnostic['span']) =>
    file === drawnFile && from <= begin && end <= from + written.length + 2;
  const errors = said.filter(({ severity }) => severity === 'error');
  if (errors.some(({ span }) => isAt(span))) return 'line';
  return errors.some(({ notes }) => notes.some(({ span }) => isAt(span))) ? 'note' : 'elsewhere';
}

/** The forms of a chain that must be the same model. */
interface Forms {
  /** As it was drawn. */
  readonly symbolic: Source;
  /** The decided values alone, in one variant. */
  readonly flat: Source;
  /** A model without overrides, where the base can be written out. */
  readonly out: Source | undefined;
}

function formsOf(draw: Draw, chain: Chain): Forms {
  const { id, base, lines } = chain;
  return {
    symbolic: symbolicSource(chain, `${id}_drawn`, lines),
    flat: { name: `${id}_flat`, base, text: chainSource(`${id}_flat`, base, 1, flatLines(decidedOf(chain), draw)) },
    out: base.text === undefined ? undefined : outSource(`${id}_out`, base.text, chain),
  };
}

const decidedOf = ({ model, lines }: Chain): readonly Deciding[] => [...deciding(builtOf(model), lines).values()];

/** The decided values as lines of one variant, each list's items by their index, in any order. */
function flatLines(decided: readonly Deciding[], draw: Draw): readonly Line[] {
  const shuffled = draw.shuffled(decided);
  return shuffled.map(({ steps, line }, place) => ({ level: 0, steps, right: constantly(line.value), place }));
}

/** A model without overrides, but for parts of parts, which no call of a module can say. */
function outSource(name: string, text: string, chain: Chain): Source {
  const { base, model } = chain;
  const deep = decidedOf(chain).filter(({ steps }) => steps.length > 2);
  const whole = { ...base, model: `${name}_model` };
  const own = writtenOut(whole.model, text, builtOf(model));
  return { name, base, text: `${own}\n${chainSource(name, whole, 1, flatLines(deep, draws(0)))}` };
}

function holdAll(draw: Draw, chains: readonly Chain[], tally: Tally, bench: Bench): Finding[] {
  const forms = chains.map((chain) => ({ chain, ...formsOf(draw, chain) }));
  const outcomes = bench(forms.flatMap(({ symbolic, flat, out }) => [symbolic, flat, ...(out ? [out] : [])]));
  return forms.flatMap(({ chain, symbolic, flat, out }) => {
    tally.held++;
    if (isCrossing(chain)) tally.crossing++;
    const { source, detail } = shownChain(chain);
    const found: Finding[] = [];
    const finding = (kind: string, text: string) => found.push({ kind, chain, source, detail: `${text}\n${detail}` });
    const hash = hashOf(chain.model);
    if (hash !== hashOf(chain.baseModel)) tally.changed++;
    const compare = (form: Source, refused: string, other: string) => {
      const { model, said } = outcomes.get(form.name)!;
      if (!model && form === symbolic && isCircular(besides(said, chain.said))) {
        tally.circular++;
        if (!hasCircle(chain, bench)) finding('refused as a circle, and no value depends on itself', sayings(said));
      } else if (!model && isWithoutEffect(said)) {
        tally.withoutEffect++;
        if (form === flat) holdWithoutEffect(chain, said, bench, finding);
      } else if (!model) finding(refused, sayings(said));
      else if (hashOf(model) !== hash)
        finding(hashOf(model) === hashOf(chain.baseModel) ? `${other}, that of the base` : other, '');
      return model;
    };
    holdValues(chain, chain.model, (text) => finding('the instance has another value than the literal', text));
    holdEffect(chain, bench, finding);
    compare(flat, 'refused where only what decides is written', 'another graph where only what decides is written');
    if (out) compare(out, 'refused where it is written out', 'another graph where it is written out');
    const drawn = compare(symbolic, 'refused, and right with numbers', 'another graph than with numbers');
    if (drawn) holdValues(chain, drawn, (text) => finding('the instance has another value', text));
    if (draw.once(3)) holdSettings(chain, bench, finding);
    return found;
  });
}

/** Whether lines were refused for no more than that nothing depends on them. */
function isWithoutEffect(said: readonly Diagnostic[]): boolean {
  return said.length > 0 && said.every(({ code }) => code === 'CROB2314');
}

/** Without the lines that are refused so, the model is the same. */
function holdWithoutEffect(
  chain: Chain,
  said: readonly Diagnostic[],
  bench: Bench,
  finding: (kind: string, text: string) => void,
): void {
  const { id, base, model } = chain;
  const refused = new Set(said.map(({ message }) => /`(.*)`/.exec(message)?.[1]));
  const lines = flatLines(decidedOf(chain), draws(0)).filter(({ steps }) => !refused.has(pathText(steps)));
  const source = { name: `${id}_read`, base, text: chainSource(`${id}_read`, base, 1, lines) };
  const without = bench([source]).get(source.name)?.model;
  if (!without || hashOf(without) !== hashOf(model))
    finding('refused as without effect, and has one', [...refused].join(', '));
}

/** Messages that the chain does not have with numbers: a variant between may be wrong by itself, and the last one right. */
function besides(said: readonly Diagnostic[], others: readonly Diagnostic[]): readonly Diagnostic[] {
  return said.filter(({ code, message }) => !others.some((one) => one.code === code && one.message === message));
}

function isCircular(said: readonly Diagnostic[]): boolean {
  return said.length > 0 && said.every(({ code }) => code === 'CROB2305');
}

/** Whether a line reads a part that another one changes. */
function isCrossing({ lines }: Chain): boolean {
  return lines.some((line) =>
    lines.some(
      (other) =>
        other !== line &&
        line.steps[0] !== other.steps[0] &&
        line.right.reads.some(([first]) => first === other.steps[0]),
    ),
  );
}

function shownChain(chain: Chain): { readonly source: string; readonly detail: string } {
  const { text } = literalSource(chain, chain.id, chain.lines);
  return { source: symbolicSource(chain, chain.id, chain.lines).text, detail: `with numbers:\n${text}` };
}

function holdValues(chain: Chain, model: ModelGraph, finding: (text: string) => void): void {
  const wrong = decidedOf(chain).flatMap(({ steps, line }) => {
    const there = valueAt(builtOf(model), steps);
    return there && same(there, line.value)
      ? []
      : [`${pathText(steps)} is ${show(there)}, where ${show(line.value)} is right`];
  });
  if (wrong.length > 0) finding(wrong.join('\n'));
}

/** The graph changes when a value does, or a message says that it does not; and it stays when all values stay. */
function holdEffect(chain: Chain, bench: Bench, finding: (kind: string, text: string) => void): void {
  const { baseModel, model, said } = chain;
  const changes = decidedOf(chain).filter(({ steps, line }) => {
    const before = valueAt(builtOf(baseModel), steps);
    return !before || !same(before, line.value);
  });
  const isSame = hashOf(model) === hashOf(baseModel);
  if (changes.length === 0 && !isSame) finding('another graph where every value is as before', '');
  if (changes.length === 0 || !isSame || said.length > 0) return;
  // Dropout and the like count in training alone.
  const trained = bench.trainingHash(literalSource(chain, chain.id, chain.lines));
  if (trained === bench.trainingHash(plainSource(chain.base)))
    finding('no effect and no message', changes.map(({ steps }) => pathText(steps)).join(', '));
}

/** The last variant's lines by `--set`. */
function holdSettings(chain: Chain, bench: Bench, finding: (kind: string, text: string) => void): void {
  const { source, lines } = asSettings(chain);
  if (lines.length === 0) return;
  const { graph, said } = bench.withSettings(source, lines);
  const typed = lines.map((line) => `--set "${line}"`).join(' ');
  if (!graph && (isCircular(besides(said, chain.said)) || isWithoutEffect(said))) return;
  if (!graph) finding('refused by --set, and right with numbers', `${typed}\n${sayings(said)}`);
  else if (graphHash(graph) !== hashOf(chain.model)) finding('another graph by --set', typed);
}

/** A chain whose last variant is given as settings. */
export function asSettings(chain: Chain): { readonly source: Source; readonly lines: readonly string[] } {
  const { id, base, levels, lines } = chain;
  const isLast = (line: Line) => line.level === levels - 1;
  const rest = lines.filter((line) => !isLast(line)).map(({ value: _, ...line }) => line);
  return {
    source: { name: id, base, text: chainSource(id, base, Math.max(1, levels - 1), rest) },
    lines: lines.filter(isLast).map(({ value: _, ...line }) => settingText(line)),
  };
}

function show(value: Value | undefined): string {
  return value ? JSON.stringify(value) : 'nothing';
}

export function sayings(said: readonly Diagnostic[]): string {
  return said.map(({ code, message, span }) => `${code} ${message} (${span.file}:${span.start})`).join('\n');
}
