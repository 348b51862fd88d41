import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import type { Call, Template } from '../../compiler/elaborate/context/elaborated.ts';
import { inlineModel, inlineWithLossOutputs } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { guardCondition } from '../../compiler/ir/guard-condition.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { moduleHashes } from '../../compiler/lock/module-hashes.ts';
import { position, type Span } from '../../grammar/span.ts';
import type { ModuleDecl } from '../../grammar/tree.ts';
import { type Quantities, type SummaryModule, type SummaryPort, summarise } from '../build/model-summary.ts';
import type { CompiledFile } from '../build/source-model.ts';
import { sha256 } from '../files/text-hash.ts';
import { type GraphWeight, weightsOf } from '../weights/graph-weights.ts';
import { plainLines, plainText } from './plain-text.ts';

/** A place in a source, for a reader: `models/crobim.crob:57`. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/** The source text that sets a part or a parameter. */
export interface Written {
  readonly text: string;
  readonly place: Place | undefined;
  /** The function or module that contains the text; '' for a model. */
  readonly within: string;
}

/** A part or a parameter of a model, with the source text that sets it. */
export type Setting =
  | {
      readonly kind: 'part';
      readonly module: string;
      /** Where its weights are in weights files. */
      readonly weights: string;
      readonly written: Written;
    }
  | { readonly kind: 'shared'; readonly of: string; readonly written: Written }
  | { readonly kind: 'absent'; readonly value: string; readonly written: Written }
  | { readonly kind: 'parameter'; readonly value: string; readonly written: Written };

/** Source text of an equation, a method or a function, without comments, line by line. */
export interface Code {
  readonly lines: readonly string[];
  readonly place: Place;
}

/** A weight with everything that the graph has of it. */
export interface ComparedWeight extends GraphWeight {
  /** Its initial values and what it is exempt from: `normal(std=0.02)`, `zeros(), no_decay`. */
  readonly initial: string;
}

/** What is compared of a model, as plain data. */
export interface Anatomy {
  readonly model: string;
  readonly file: string;
  /** Hash of the graph as written, before it is optimised; and of the graph of a training step's forward pass. */
  readonly hash: string;
  readonly trainingHash: string;
  readonly inputs: readonly SummaryPort[];
  readonly outputs: readonly SummaryPort[];
  readonly trainingOutputs: readonly SummaryPort[];
  /** Conditions on sizes, with known values as numbers. */
  readonly conditions: readonly string[];
  /** The `let`s and outputs of the model by name. */
  readonly equations: ReadonlyMap<string, Code>;
  /** By path in overrides, in declaration order. */
  readonly settings: ReadonlyMap<string, Setting & { readonly owner: string }>;
  /**
   * Methods and functions that the model calls, and the other members of its modules: `LGFA`, `Bert.embed`,
   * `fn extend`, `LGFA members`.
   */
  readonly methods: ReadonlyMap<string, Code>;
  /** By path in weights files, in the order of their first calls. */
  readonly modules: ReadonlyMap<string, SummaryModule>;
  /** A hash of each module's own equations, by the same paths; '' is the model itself. */
  readonly own: ReadonlyMap<string, string>;
  /** All weights, those that only training reads included. */
  readonly weights: readonly ComparedWeight[];
  /** Number of operators of each kind in the graph as written. */
  readonly operators: ReadonlyMap<string, number>;
  /** Dims without a size. */
  readonly openDims: readonly string[];
  readonly totals: Quantities & { readonly peakActivationBytes: number | undefined };
}

/** Collects what is compared of a compiled model. Throws a UserError if a number exceeds 2^53. */
export function anatomyOf(compiled: CompiledFile): Anatomy {
  const { context, model, graph, file } = compiled;
  if (!context) throw new Error('bug in crobc: a model without errors has nothing that elaborated it');
  const { program } = compiled;
  const textOf = (span: Span): string => program.text(span);
  const placeOf = (span: Span): Place => ({
    file: span.file,
    line: position(program.files.get(span.file)?.tree.text ?? '', span.start).line,
  });
  const written = (span: Span | undefined): Written => {
    if (!span) return { text: '', place: undefined, within: '' };
    const declarations = program.files.get(span.file)?.tree.declarations ?? [];
    const around = declarations.find((decl) => decl.span.start <= span.start && span.end <= decl.span.end);
    const within = around === undefined || around.kind === 'model' ? '' : around.name.name;
    return { text: plainText(textOf(span)), place: placeOf(span), within };
  };
  const summary = summarise(compiled);
  const training = compiled.otherMode();
  const trainingGraph = training && inlineModel(training, new Map());
  const ofLosses = model.lossOutputs.length === 0 ? graph : inlineWithLossOutputs(model, new Map());
  const weights = new Map(
    [graph, ofLosses, ...(trainingGraph ? [trainingGraph] : [])]
      .flatMap(comparedWeights)
      .map((weight) => [weight.path, weight]),
  );
  const operators = new Map<string, number>();
  for (const { op } of graph.nodes)
    if (op !== 'input' && op !== 'weight') operators.set(op, (operators.get(op) ?? 0) + 1);
  return {
    model: graph.name,
    file,
    hash: graphHash(graph),
    trainingHash: trainingGraph ? graphHash(trainingGraph) : '',
    inputs: summary.inputs,
    outputs: summary.outputs,
    trainingOutputs: summary.training.outputs,
    conditions: [...new Set(model.guards.map((guard) => guardCondition(guard, model.facts).condition))].sort(),
    equations: equationsOf(model, textOf, placeOf),
    settings: new Map(
      contentsOf(context, model).flatMap((entry) => {
        const setting = settingOf(entry, written);
        return setting ? [[entry.path, { ...setting, owner: entry.owner }] as const] : [];
      }),
    ),
    methods: methodsOf(compiled, placeOf),
    modules: new Map(summary.modules.map((one) => [one.path, one])),
    own: new Map([...moduleHashes(model, sha256)].map(([path, { own }]) => [path, own])),
    weights: [...weights.values()],
    operators,
    openDims: summary.openDims,
    totals: {
      parameters: summary.parameters,
      flops: summary.flops,
      activationBytes: summary.activationBytes,
      trafficBytes: summary.trafficBytes,
      peakActivationBytes: summary.peakActivationBytes,
    },
  };
}

function comparedWeights(graph: Graph): ComparedWeight[] {
  const initial = new Map<string, string>();
  for (const node of graph.nodes) {
    if (node.op !== 'weight') continue;
    const { path, init, decay, keepF32 } = node.attributes;
    const given = Object.entries(init.args).map(([name, value]) => `${name} = ${value}`);
    const exempt = [...(decay ? [] : ['no_decay']), ...(keepF32 ? ['f32'] : [])];
    initial.set(path, [`${init.name}(${given.join(', ')})`, ...exempt].join(', '));
  }
  return weightsOf(graph).map((weight) => ({ ...weight, initial: initial.get(weight.path) ?? '' }));
}

function settingOf(entry: Entry, written: (span: Span | undefined) => Written): Setting | undefined {
  switch (entry.kind) {
    case 'part':
      return { kind: 'part', module: entry.module, weights: entry.file, written: written(entry.span) };
    case 'shared':
      return { kind: 'shared', of: entry.of, written: written(entry.span) };
    case 'absent':
      return { kind: 'absent', value: entry.value, written: written(entry.span) };
    case 'parameter':
      return { kind: 'parameter', value: entry.value, written: written(entry.span) };
    case 'static':
    case 'weight':
      return undefined;
  }
}

function equationsOf(
  { flat }: ModelGraph,
  textOf: (span: Span) => string,
  placeOf: (span: Span) => Place,
): Map<string, Code> {
  const code = ({ span }: { readonly span: Span }): Code => ({ lines: plainLines(textOf(span)), place: placeOf(span) });
  const lets = [...flat.lets].flatMap(([name, { decl }]) =>
    decl.kind === 'model-let' ? [[`let ${name}`, code(decl)] as const] : [],
  );
  return new Map([
    ...[...flat.inputs].map(([name, { decl }]) => [`input ${name}`, code(decl)] as const),
    ...lets,
    ...[...flat.outputs].map(([name, { decl }]) => [`output ${name}`, code(decl)] as const),
  ]);
}

/** Returns the text of every method and function that the model calls, and of the other members of its modules. */
function methodsOf({ model, program }: CompiledFile, placeOf: (span: Span) => Place): Map<string, Code> {
  const spans = new Map<string, { readonly name: string; readonly whole: Span }>();
  for (const { tree } of program.files.values()) {
    for (const decl of tree.declarations) {
      const key = ({ file, start }: Span) => `${file} ${start}`;
      if (decl.kind === 'fn') spans.set(key(decl.name.span), { name: `fn ${decl.name.name}`, whole: decl.span });
      if (decl.kind !== 'module' && decl.kind !== 'interface') continue;
      for (const member of decl.members) {
        if (member.kind !== 'method' && member.kind !== 'implementation') continue;
        const { name } = member.name;
        spans.set(key(member.name.span), {
          name: name === 'forward' ? decl.name.name : `${decl.name.name}.${name}`,
          whole: member.span,
        });
      }
    }
  }
  const found = new Map<string, Code>();
  const addMembers = ({ name, members }: ModuleDecl): void => {
    const others = members.filter(({ kind }) => kind === 'static' || kind === 'param' || kind === 'buffer');
    const lines = others.flatMap(({ span }) => plainLines(program.text(span)));
    found.set(`${name.name} members`, { lines, place: placeOf(name.span) });
  };
  const seen = new Set<Template>();
  const walk = (calls: readonly Call[]): void => {
    for (const { template } of calls) {
      if (seen.has(template)) continue;
      seen.add(template);
      const decl = spans.get(`${template.span.file} ${template.span.start}`);
      if (decl && !found.has(decl.name))
        found.set(decl.name, { lines: plainLines(program.text(decl.whole)), place: placeOf(decl.whole) });
      if (template.self) addMembers(template.self.decl);
      walk(template.body.calls);
    }
  };
  walk(model.calls);
  return found;
}
