import type { Compiled } from '../../compiler/compile.ts';
import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import { type Gathered, gather } from '../../compiler/contents/gather.ts';
import { inlineWithLossOutputs } from '../../compiler/elaborate/models/inline.ts';
import { recipesOf } from '../../compiler/elaborate/source/recipe-chain.ts';
import { nearest } from '../../grammar/nearest.ts';
import { UserError } from '../../runtime/files/user-error.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { type GraphWeight, weightsOf } from '../../runtime/weights/graph-weights.ts';
import { compileFile } from '../compile-file.ts';
import type { Io } from '../io.ts';
import { printJson, printText } from '../print.ts';
import { table } from '../table.ts';

export interface DescribeOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly depth: number;
  readonly json?: boolean;
}

type EntryOf<K extends Entry['kind']> = Extract<Entry, { kind: K }>;

export function describe(io: Io, file: string, path: string | undefined, options: DescribeOptions): number {
  const compiled = compileFile(io, file, options.model, options.set);
  if (!compiled) return 1;
  const { context, model, graph } = compiled;
  if (!context) throw new Error('bug in crobc: a model without errors has nothing that elaborated it');
  // Recipes can also select weights that only losses need.
  const trained = model.lossOutputs.length === 0 ? graph : inlineWithLossOutputs(model, new Map());
  const weights = new Map(weightsOf(trained).map((weight) => [weight.path, weight]));
  // A weight that no method reads is not in the graph, and so not in weights files.
  const all = contentsOf(context, model).filter((entry) => entry.kind !== 'weight' || weights.has(entry.file));
  const entries = path === undefined ? all : below(all, path, graph.name);
  if (options.json) {
    printJson(io, asJson(compiled, graph.name, entries, weights));
    return 0;
  }
  const print = (text: string) => printText(io, `${text}\n`);
  const top = path === undefined ? 0 : Math.min(...entries.map(levelOf));
  const shown = gather(entries).filter(({ entries: [first] }) => levelOf(first) - top <= options.depth);
  const of = (...kinds: Entry['kind'][]) => shown.filter(({ entries: [first] }) => kinds.includes(first.kind));
  const section = (title: string, heads: readonly string[], rows: readonly (readonly string[])[]) => {
    if (rows.length === 0) return;
    print(`\n${title}\n`);
    print(
      table(
        heads,
        rows,
        heads.map(() => 'left'),
        terminalWidth(io.stdout),
      ),
    );
  };
  print(path === undefined ? graph.name : `${path} of ${graph.name}`);
  if (path === undefined) {
    for (const line of statementsOf(compiled)) print(`  ${line}`);
    const recipes = recipesFor(compiled);
    if (recipes.length > 0) print(`  recipes, of which train takes the first: ${recipes.join(', ')}`);
  }
  section(
    'Parameters and parts, which --set and variants override:',
    ['path', 'is', 'value', 'in weights files'],
    of('parameter', 'part', 'shared', 'absent').map((one) => [one.path, typesOf(one), valuesOf(one), one.file ?? '']),
  );
  section(
    'Weights, which recipes select, as they do parts:',
    ['path', 'is', 'initial', 'in weights files'],
    of('weight').map((one) => [one.path, ...weightOf(one, weights), one.file ?? '']),
  );
  section(
    'Statics, which right sides read and nothing sets:',
    ['path', 'value'],
    of('static').map((one) => [one.path, valuesOf(one)]),
  );
  if (shown.some((one) => one.entries.length > 1))
    print('\n[*] stands for each item of a list; where their values differ, each stands once.');
  return 0;
}

/**
 * Returns the entries at a path (of a member or in weights files) and below it. Throws a UserError if there are none.
 */
function below(all: readonly Entry[], path: string, model: string): readonly Entry[] {
  const wanted = path.replace(/\s+/g, '').replace(/\.\*$/, '');
  const at = all.filter(({ path }) => matches(path, wanted));
  if (at.length > 0) return at;
  const parts = all.filter((entry) => entry.kind === 'part' || entry.kind === 'weight');
  const inFile = parts.filter(({ file }) => file === wanted || file.startsWith(`${wanted}.`));
  if (inFile.length > 0) {
    // Includes parts that have the same path in weights files as their owner.
    const roots = inFile.map((entry) => entry.path);
    return all.filter((entry) => roots.some((root) => matches(entry.path, root)));
  }
  const meant = nearest(
    wanted.replace(/\[\d+\]/g, '[*]'),
    gather(all).map((one) => one.path),
  );
  throw new UserError(`${model} has nothing at ${path}${meant === undefined ? '' : `; did you mean ${meant}?`}`);
}

/** Whether a path is the wanted one or below it. `[*]`, or a list without an index, matches every item. */
function matches(path: string, wanted: string): boolean {
  const pattern = wanted.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replace(/\\\[\\\*\\\]/g, '\\[\\d+\\]');
  return new RegExp(`^${pattern}(\\[\\d+\\])*(\\.|$)`).test(path);
}

/** Nesting depth: the number of parts that contain an entry. */
function levelOf({ owner }: Entry): number {
  return owner === '' ? 0 : owner.split('.').length;
}

/** The source lines of a model that do not declare parts; a variant replaces them by name. */
function statementsOf({ model, program }: Compiled): string[] {
  if (!model) return [];
  const { where, inputs, lets, outputs } = model.flat;
  const text = ({ span }: { readonly span: Parameters<Compiled['program']['text']>[0] }) =>
    program.text(span).replace(/\s+/g, ' ');
  return [
    ...where.map(({ decl }) => `where ${text(decl)}`),
    ...[...inputs.values(), ...lets.values(), ...outputs.values()].map(({ decl }) => text(decl)),
  ];
}

/** Names of the recipes for the model and for its base models, those of the most derived model first. */
function recipesFor({ model }: Compiled): string[] {
  return model ? [...new Set(recipesOf(model.flat).map(({ decl }) => decl.name.name))] : [];
}

function typeOf(entry: Entry): string {
  switch (entry.kind) {
    case 'parameter':
      return entry.type;
    case 'part':
    case 'shared':
      return entry.module;
    case 'absent':
      return entry.value === 'none' ? 'none' : 'no items';
    case 'static':
    case 'weight':
      return '';
  }
}

function presentValue(entry: Entry): string {
  switch (entry.kind) {
    case 'parameter':
    case 'static':
      return entry.value;
    case 'shared':
      return `is ${entry.of}`;
    case 'part':
    case 'absent':
    case 'weight':
      return '';
  }
}

function typesOf({ entries }: Gathered): string {
  const types = distinct(entries.map(typeOf));
  return entries.length > 1 && entries[0].kind === 'part' ? `${types}, ${entries.length} of them` : types;
}

function valuesOf({ entries }: Gathered): string {
  return distinct(entries.map(presentValue));
}

/** The types and the initial values of weights. */
function weightOf({ entries }: Gathered, weights: ReadonlyMap<string, GraphWeight>): [string, string] {
  const found = entries.flatMap((entry) => (entry.kind === 'weight' ? [weights.get(entry.file)] : []));
  const known = found.filter((weight) => weight !== undefined);
  const types = known.map(({ dtype, shape, role }) => {
    const type = `${dtype}[${shape.join(', ')}]`;
    return role === 'buffer' ? `${type} buffer` : type;
  });
  const initial = known.map(({ init: { name, args } }) => {
    const given = Object.entries(args).map(([arg, value]) => `${arg} = ${value}`);
    return given.length === 0 ? name : `${name}(${given.join(', ')})`;
  });
  return [distinct(types), distinct(initial)];
}

/** Lists every path separately, without merging list items. */
function asJson(
  compiled: Compiled,
  model: string,
  entries: readonly Entry[],
  weights: ReadonlyMap<string, GraphWeight>,
): unknown {
  const of = <K extends Entry['kind']>(kind: K) => entries.filter((entry): entry is EntryOf<K> => entry.kind === kind);
  return {
    model,
    statements: statementsOf(compiled),
    recipes: recipesFor(compiled),
    parameters: of('parameter').map(({ path, type, value }) => ({ path, type, value })),
    parts: [
      ...of('part').map(({ path, module, file }) => ({ path, module, weights: file })),
      ...of('shared').map(({ path, module, of }) => ({ path, module, shared: of })),
      ...of('absent').map(({ path }) => ({ path, module: null })),
    ],
    weights: of('weight').map(({ path, file, role }) => {
      const { dtype, shape } = weights.get(file) ?? {};
      return { path, weights: file, role, dtype, shape };
    }),
    statics: of('static').map(({ path, value }) => ({ path, value })),
  };
}

/** Maximum width of a cell in characters; `--json` has complete values. */
const widest = 48;

function distinct(texts: readonly string[]): string {
  const all = [...new Set(texts)].join(' / ');
  return all.length <= widest ? all : `${all.slice(0, widest - 2)} …`;
}
