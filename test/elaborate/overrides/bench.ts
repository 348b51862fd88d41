import { check } from '../../../compiler/check/check.ts';
import { compile } from '../../../compiler/compile.ts';
import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import { inlineModel } from '../../../compiler/elaborate/models/inline.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { memoryHost } from '../../memory-host.ts';
import { shippedModels } from '../../shipped.ts';
import { type Base, header } from './case.ts';
import { type Built, type ModelGraph, placesOf } from './places.ts';

/** What came of a source: a model, or what was said against it. */
export interface Outcome {
  readonly model: ModelGraph | undefined;
  readonly said: readonly Diagnostic[];
  /** Where the source stands in the file that was checked. */
  readonly start: number;
}

/** Models, of which the one of that name is meant. */
export interface Source {
  readonly name: string;
  readonly base: Base;
  readonly text: string;
}

/** Checks sources, together with files that the shipped models are not among. */
export interface Bench {
  /** All in one file, in which they share what they have in common; outcomes by name. */
  (sources: readonly Source[]): ReadonlyMap<string, Outcome>;
  /** The graph under overrides as `--set` takes them. */
  withSettings(source: Source, settings: readonly string[]): { graph: Graph | undefined; said: readonly Diagnostic[] };
  /** The hash of the form that is trained. */
  trainingHash(source: Source): string | undefined;
}

export const drawnFile = 'drawn.crob';

export function benchWith(files: Readonly<Record<string, string>>): Bench {
  const hostOf = (text: string) => memoryHost({ ...shippedModels, ...files, [drawnFile]: text });
  const alone = (source: Source, settings: readonly string[], training: boolean) => {
    const words = [source.text, ...settings].join('\n');
    const text = `${header(words, [source.base])}${source.text}`;
    const options = { model: source.name, dims: new Map(), overrides: settings, training };
    return compile(hostOf(text), drawnFile, options);
  };
  const bench = (sources: readonly Source[]): ReadonlyMap<string, Outcome> => {
    if (sources.length === 0) return new Map();
    const { text, places } = together(sources);
    const { models, diagnostics } = check(hostOf(text), [drawnFile]);
    const outcomes = new Map<string, Outcome>();
    for (const { source, start, end } of places) {
      const isHere = ({ file, start: at }: Diagnostic['span']) => file === drawnFile && start <= at && at < end;
      const said = diagnostics.filter(({ span, notes }) => isHere(span) || notes.some((note) => isHere(note.span)));
      const model = models.get(source.name);
      if (model || said.some(({ severity }) => severity === 'error')) outcomes.set(source.name, { model, said, start });
      else if (sources.length > 1) outcomes.set(source.name, bench([source]).get(source.name)!);
      else {
        // A model with a warning is none of those that came out right, and what is told elsewhere belongs to this one.
        const compiled = alone(source, [], false);
        outcomes.set(source.name, { model: compiled.model, said: [...diagnostics, ...compiled.diagnostics], start });
      }
    }
    return outcomes;
  };
  return Object.assign(bench, {
    withSettings(source: Source, settings: readonly string[]) {
      const { graph, diagnostics } = alone(source, settings, false);
      return { graph, said: diagnostics };
    },
    trainingHash(source: Source) {
      const { graph } = alone(source, [], true);
      return graph && graphHash(graph);
    },
  });
}

function together(sources: readonly Source[]) {
  const bases = new Map(sources.map(({ base }) => [base.model, base]));
  let text = header(sources.map((source) => source.text).join(''), [...bases.values()]);
  const places = sources.map((source) => {
    const start = text.length;
    text += source.text;
    return { source, start, end: text.length };
  });
  return { text, places };
}

const hashes = new WeakMap<ModelGraph, string>();

export function graphOf(model: ModelGraph): Graph {
  return inlineModel(model, new Map());
}

export function hashOf(model: ModelGraph): string {
  const known = hashes.get(model) ?? graphHash(graphOf(model));
  hashes.set(model, known);
  return known;
}

export function builtOf(model: ModelGraph): Built {
  return placesOf(model);
}
