import { check } from '../../../compiler/check/check.ts';
import { detailLines } from '../../../compiler/diagnostics/details.ts';
import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import { renderTerminal } from '../../../compiler/diagnostics/render-terminal.ts';
import { inlineModel } from '../../../compiler/elaborate/models/inline.ts';
import { verify } from '../../../compiler/graphs/verify.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { draws } from '../../draws.ts';
import { memoryHost } from '../../memory-host.ts';
import { type Mutation, mutate } from './mutate.ts';
import { type Target, targets } from './sources.ts';

export type Verdict =
  /** An error's first place is on the changed line, or, of a line that is gone, beside where it was. */
  | 'at the line'
  /** An error's first place is a use of the name that was changed or that the line declared, or it says that name. */
  | 'at a use'
  /** A note of an error is on the changed line, or a line of its details names that line. */
  | 'in a note'
  /** An error's first place, or a note of one, is in the rest of the same statement. */
  | 'in its chain'
  | 'elsewhere'
  | 'another graph'
  | 'the same graph'
  | 'crash';

export interface Trial {
  readonly seed: number;
  readonly file: string;
  readonly mutation: Mutation;
  readonly verdict: Verdict;
  /** Messages as a terminal shows them, or the stack of a crash. */
  readonly said: string;
  readonly milliseconds: number;
  /** Graphs that are new, by the model's name. */
  readonly graphs: readonly Graph[];
}

const weighted = targets.flatMap((target) => Array.from({ length: target.weight }, () => target));
const originals = new Map<Target, ReadonlyMap<string, string>>();

/** The trial of a seed; undefined where what it draws changes nothing. */
export function trial(seed: number, among: (target: Target) => boolean = () => true): Trial | undefined {
  const target = draws(seed).of(weighted.filter(among));
  const mutation = mutate(target.files[target.file]!, seed);
  if (!mutation) return undefined;
  const before = originals.get(target) ?? hashes(modelsOf(target, target.files[target.file]!).graphs);
  originals.set(target, before);
  const start = performance.now();
  const outcome = (verdict: Verdict, said: string, graphs: readonly Graph[] = []): Trial => ({
    seed,
    file: target.file,
    mutation,
    verdict,
    said,
    milliseconds: performance.now() - start,
    graphs,
  });
  try {
    const { diagnostics, graphs, render } = modelsOf(target, mutation.text);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const said = render();
    if (errors.length > 0) return outcome(blame(errors, target.file, mutation), said);
    const broken = graphs.flatMap(verify);
    if (broken.length > 0) return outcome('crash', `a graph that does not verify: ${broken[0]}`);
    const changed = graphs.filter((graph) => before.get(graph.name) !== graphHash(graph));
    return outcome(
      changed.length > 0 || graphs.length !== before.size ? 'another graph' : 'the same graph',
      said,
      changed,
    );
  } catch (error) {
    return outcome('crash', (error as Error).stack ?? String(error));
  }
}

function modelsOf({ files, file, checked }: Target, text: string) {
  const { diagnostics, models, program } = check(memoryHost({ ...files, [file]: text }), checked);
  const render = () =>
    renderTerminal(diagnostics, (path) => program.files.get(path)?.tree.text, { color: false, width: 120 });
  const isWrong = diagnostics.some(({ severity }) => severity === 'error');
  const graphs = isWrong ? [] : [...models].map(([name, model]) => ({ ...inlineModel(model, new Map()), name }));
  return { diagnostics, graphs, render };
}

function hashes(graphs: readonly Graph[]): ReadonlyMap<string, string> {
  return new Map(graphs.map((graph) => [graph.name, graphHash(graph)]));
}

function blame(errors: readonly Diagnostic[], file: string, mutation: Mutation): Verdict {
  const lineOf = (at: number) => mutation.text.slice(0, at).split('\n').length;
  const isGone = mutation.kind === 'line';
  const isAt = (span: Diagnostic['span']): boolean => {
    if (span.file !== file) return false;
    const first = lineOf(span.start);
    const last = lineOf(Math.max(span.start, span.end - 1));
    // A line that is gone was between two others.
    if (isGone && first <= mutation.line && mutation.line - 1 <= last) return true;
    return first <= mutation.line && mutation.line <= last && last - first < 6;
  };
  // What a line declared, or a name that was changed, is missed where it is used.
  const isUse = ({ span, message }: Diagnostic): boolean =>
    mutation.lost.some((name) => new RegExp(`\\b${name}\\b`).test(message) || textAt(span, file, mutation) === name);
  // The way of a shape has lines of the file that the message is in as `(:12)`, and of others as `(parts/swin.crob:12)`.
  const isOnTheWay = ({ span, details }: Diagnostic): boolean => {
    const place = `(${span.file === file ? '' : file}:${mutation.line})`;
    return detailLines(details, span.file).some((text) => text.includes(place));
  };
  if (errors.some(({ span }) => isAt(span))) return 'at the line';
  if (errors.some(isUse)) return 'at a use';
  const { first, last } = statementAround(mutation);
  const isInStatement = (span: Diagnostic['span']) =>
    span.file === file && first <= lineOf(span.start) && lineOf(span.start) <= last;
  if (errors.some((d) => d.notes.some(({ span }) => isAt(span)) || isOnTheWay(d))) return 'in a note';
  const isShown = errors.some((d) => [d, ...d.notes].some(({ span }) => isInStatement(span)));
  return isShown ? 'in its chain' : 'elsewhere';
}

/** The lines that brackets join to the changed one. */
function statementAround({ text, line }: Mutation): { readonly first: number; readonly last: number } {
  const lines = text.split('\n');
  let depth = 0;
  let first = 1;
  for (const [i, one] of lines.entries()) {
    const isWhole = depth === 0 || /^(model|module|fn|recipe|interface|weights|example) /.test(one);
    if (isWhole) {
      if (i + 1 > line) return { first, last: i };
      first = i + 1;
      depth = 0;
    }
    for (const sign of one.replace(/\/\/.*|"[^"]*"/g, ''))
      depth = Math.max(0, depth + ('(['.includes(sign) ? 1 : ')]'.includes(sign) ? -1 : 0));
  }
  return { first, last: lines.length };
}

function textAt(span: Diagnostic['span'], file: string, { text }: Mutation): string | undefined {
  return span.file === file ? text.slice(span.start, span.end) : undefined;
}
