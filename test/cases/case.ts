import { check } from '../../compiler/check/check.ts';
import { renderTerminal } from '../../compiler/diagnostics/render-terminal.ts';
import { Facts } from '../../compiler/dims/facts.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { showType } from '../../compiler/elaborate/report/report.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { print } from '../../compiler/ir/print.ts';
import { memoryHost } from '../memory-host.ts';

/** A case as it is written: files under `## Source`, then the sections that it is about. */
export interface Case {
  readonly title: string;
  /** Everything in front of the sections that the runner writes. */
  readonly head: string;
  /** In order; the last file is the one that is checked. */
  readonly files: ReadonlyMap<string, string>;
  readonly sections: readonly string[];
}

export function readCase(text: string): Case {
  const [head, ...rest] = text.split(/^## (?!Source)/m);
  const files = new Map<string, string>();
  for (const [, name, source] of head!.matchAll(/^```crob ?(.*)\n([\s\S]*?)^```$/gm))
    files.set(name || 'main.crob', source!);
  return {
    title: /^# (.*)$/m.exec(text)?.[1] ?? '',
    head: head!,
    files,
    sections: rest.map((part) => part.slice(0, part.indexOf('\n')).trim()),
  };
}

export interface Outcome {
  readonly models: ReadonlyMap<string, Model>;
  readonly printed: string;
}

interface Model {
  readonly model: ModelGraph;
  readonly graph: Graph;
}

export function run(files: ReadonlyMap<string, string>): Outcome {
  const main = [...files.keys()].at(-1)!;
  const result = check(memoryHost(Object.fromEntries(files)), [main]);
  const text = (file: string) => result.program.files.get(file)?.tree.text;
  const models = new Map<string, Model>();
  for (const [name, model] of result.models) models.set(name, { model, graph: inlineModel(model, new Map()) });
  const printed = renderTerminal(result.diagnostics, text, { color: false, width: 110 });
  return { models, printed: withoutLibraryLines(printed) };
}

/**
 * A line more in the library is no difference of a case: lines of it are left out, as is the room that they take beside others
 * of the same message.
 */
export function withoutLibraryLines(printed: string): string {
  return printed.split('\n\n').map(withoutLines).join('\n\n');
}

const libraryPlace = /((?:std|crobc\/models)\/[\w-]+\.crob):\d+(?::\d+)?/;

function withoutLines(message: string): string {
  if (!libraryPlace.test(message)) return message;
  return message
    .split('\n')
    .map((line) => (libraryPlace.test(line) ? line.replace(/\(:\d+\)/g, '(:…)') : line))
    .map((line) => line.replace(new RegExp(libraryPlace, 'g'), '$1:…'))
    .map((line) => line.replace(/^( {2}\S+\.crob:(?:…|[\d:]+)) {3,}/, '$1   '))
    .join('\n');
}

/** The case again, its sections as they come out now. */
export function writeCase(one: Case, outcome: Outcome): string {
  return one.head + one.sections.map((section) => `## ${section}\n\n${write(section, outcome)}`).join('\n');
}

function write(section: string, { models, printed }: Outcome): string {
  const perModel = (lines: (one: Model) => readonly string[]) =>
    [...models].map(([name, one]) => [name, ...lines(one).map((line) => `  ${line}`)].join('\n')).join('\n');
  switch (section) {
    case 'Diagnostics':
      return fenced(printed === '' ? 'none' : printed);
    case 'Types':
      return fenced(perModel(typeLines));
    case 'Guards':
      return fenced(perModel(({ model }) => model.guards.map((guard) => guard.text)));
    case 'Weights':
      return fenced(perModel(({ graph }) => weightLines(graph)));
    case 'Graph':
      return fenced([...models.values()].map(({ graph }) => print(graph)).join('\n'));
    case 'Same graph':
      return fenced(sameLines(models));
    default:
      throw new Error(`a case has no section "${section}"`);
  }
}

function fenced(text: string): string {
  return `\`\`\`text\n${text.trimEnd()}\n\`\`\`\n`;
}

function typeLines({ model }: Model): string[] {
  return [
    ...model.inputs.map(({ name, value }) => `input ${name}: ${showType(value.type, model.facts)}`),
    ...model.outputs.map(({ name, value }) => `output ${name}: ${showType(value.type, model.facts)}`),
  ];
}

function weightLines(graph: Graph): string[] {
  return graph.nodes.flatMap((node) => {
    if (node.op !== 'weight') return [];
    const { path, role, init, decay } = node.attributes;
    const args = Object.entries(init.args).map(([name, value]) => `${name} = ${value}`);
    const marks = [role === 'buffer' ? 'buffer' : '', decay || role === 'buffer' ? '' : 'no_decay'].filter(
      (mark) => mark !== '',
    );
    return `${path}: ${showType(node.outputs[0].type, Facts.none)} ~ ${init.name}(${args.join(', ')})${marks.map((mark) => ` ${mark}`).join('')}`;
  });
}

/** Models that are one and the same graph on one line. */
function sameLines(models: ReadonlyMap<string, Model>): string {
  const groups = new Map<string, string[]>();
  for (const [name, { graph }] of models) {
    const hash = graphHash(graph);
    groups.set(hash, [...(groups.get(hash) ?? []), name]);
  }
  return [...groups.values()].map((names) => names.join(' = ')).join('\n');
}
