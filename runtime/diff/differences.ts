import { isWithin } from '../../compiler/elaborate/context/paths.ts';
import type { Quantities, SummaryModule, SummaryPort } from '../build/model-summary.ts';
import type { GraphWeight } from '../weights/graph-weights.ts';
import type { Anatomy, Code, ComparedWeight, Place, Setting, Written } from './anatomy.ts';
import { type DifferenceLine, lineDifferences } from './lines.ts';

/** Before and after; undefined on the side that does not have it. */
export interface Change<T> {
  readonly before: T | undefined;
  readonly after: T | undefined;
}

export interface Named<T> extends Change<T> {
  readonly name: string;
}

/** A part of the model that was added, removed, exchanged for another module, or constructed by another expression. */
export interface PartChange extends Change<Setting> {
  readonly path: string;
  /** Whether it is another module, or none: what is inside it is then not compared. */
  readonly exchanged: boolean;
}

export interface ParameterChange {
  readonly path: string;
  readonly before: string | undefined;
  readonly after: string | undefined;
  /** Where the new value is written; of a parameter that is gone, the old one. */
  readonly written: Written | undefined;
  /** Whether the source that sets it is the same: the value follows from other changes. */
  readonly follows: boolean;
}

export interface CodeChange extends Named<Place> {
  readonly lines: readonly DifferenceLine[];
}

export interface ModuleChange extends Named<SummaryModule> {
  /** Whether its own equations differ, or the sizes in them, and not only those of modules inside. */
  readonly ownEquations: boolean;
}

export interface WeightChanges {
  readonly added: readonly GraphWeight[];
  readonly removed: readonly GraphWeight[];
  readonly reshaped: readonly { readonly path: string; readonly before: GraphWeight; readonly after: GraphWeight }[];
  /** Weights of the same shape with other initial values or attributes. */
  readonly initial: readonly { readonly path: string; readonly before: string; readonly after: string }[];
}

/** What a checkpoint of the first model gives the second, by names and shapes. */
export interface CarriedWeights {
  readonly weights: { readonly carried: number; readonly initial: number; readonly unused: number };
  /** Elements of trained weights. */
  readonly parameters: { readonly carried: number; readonly initial: number };
}

export interface ModelDifferences {
  /**
   * `none`: sources and graphs agree. `sources`: the sources differ and mean the same. `training`: the graphs of
   * inference are the same, those of training are not. `graphs`: the graphs differ.
   */
  readonly verdict: 'none' | 'sources' | 'training' | 'graphs';
  readonly before: Anatomy;
  readonly after: Anatomy;
  readonly parts: readonly PartChange[];
  readonly parameters: readonly ParameterChange[];
  readonly ports: readonly (Named<string> & { readonly role: 'input' | 'output' | 'output(train)' })[];
  readonly conditions: { readonly added: readonly string[]; readonly removed: readonly string[] };
  /** The equations of the model that changed, as one text. */
  readonly equations: readonly DifferenceLine[];
  readonly methods: readonly CodeChange[];
  readonly modules: readonly ModuleChange[];
  readonly weights: WeightChanges;
  /** The largest change first. */
  readonly operators: readonly { readonly op: string; readonly before: number; readonly after: number }[];
  readonly totals: { readonly before: Quantities; readonly after: Quantities };
  readonly carried: CarriedWeights;
}

/** Compares two models by the paths of their parts. */
export function differencesOf(before: Anatomy, after: Anatomy): ModelDifferences {
  const parts = partChanges(before, after);
  const exchanged = parts.flatMap((part) => (part.exchanged ? [part.path] : []));
  const parameters = parameterChanges(before, after, exchanged);
  const found = {
    before,
    after,
    parts,
    parameters,
    ports: [
      ...portChanges('input', before.inputs, after.inputs),
      ...portChanges('output', before.outputs, after.outputs),
      ...portChanges('output(train)', before.trainingOutputs, after.trainingOutputs),
    ],
    conditions: {
      added: after.conditions.filter((one) => !before.conditions.includes(one)),
      removed: before.conditions.filter((one) => !after.conditions.includes(one)),
    },
    equations: equationChanges(before.equations, after.equations),
    // Methods that only one of the models calls belong to parts that are listed already.
    methods: codeChanges(before.methods, after.methods).filter((one) => one.before && one.after),
    modules: moduleChanges(before, after),
    weights: weightChanges(before.weights, after.weights),
    operators: operatorChanges(before.operators, after.operators),
    totals: { before: before.totals, after: after.totals },
    carried: carriedWeights(before.weights, after.weights),
  };
  const isSameGraph = before.hash === after.hash;
  const isSameTraining = before.trainingHash === after.trainingHash;
  const isSameSource =
    parts.length + parameters.length + found.equations.length + found.methods.length === 0 &&
    found.conditions.added.length + found.conditions.removed.length === 0;
  const verdict = !isSameGraph ? 'graphs' : !isSameTraining ? 'training' : isSameSource ? 'none' : 'sources';
  return { verdict, ...found };
}

function partChanges({ settings: before }: Anatomy, { settings: after }: Anatomy): PartChange[] {
  const found: PartChange[] = [];
  for (const path of inOrder(before.keys(), after.keys())) {
    const [old, now] = [before.get(path), after.get(path)];
    if ((old ?? now)?.kind === 'parameter' && (now ?? old)?.kind === 'parameter') continue;
    if (found.some((one) => one.exchanged && isBelow(path, one.path))) continue;
    const exchanged = identity(old) !== identity(now);
    if (exchanged || old?.written.text !== now?.written.text) found.push({ path, before: old, after: now, exchanged });
  }
  return found;
}

/** What a part is, apart from its arguments, whose changes are listed by themselves. */
function identity(setting: Setting | undefined): string {
  switch (setting?.kind) {
    case undefined:
      return '';
    case 'part':
      return `part ${setting.module}`;
    case 'shared':
      return `shared ${setting.of}`;
    case 'absent':
      return setting.value;
    case 'parameter':
      return 'parameter';
  }
}

function parameterChanges(
  { settings: before }: Anatomy,
  { settings: after }: Anatomy,
  exchanged: readonly string[],
): ParameterChange[] {
  return inOrder(before.keys(), after.keys()).flatMap((path) => {
    const [old, now] = [before.get(path), after.get(path)];
    if (exchanged.some((part) => isBelow(path, part))) return [];
    const [oldValue, newValue] = [parameterValue(old), parameterValue(now)];
    if (oldValue === newValue) return [];
    const follows =
      old !== undefined &&
      now !== undefined &&
      old.written.text === now.written.text &&
      old.written.within === now.written.within;
    return [{ path, before: oldValue, after: newValue, written: (now ?? old)?.written, follows }];
  });
}

function parameterValue(setting: Setting | undefined): string | undefined {
  return setting?.kind === 'parameter' ? setting.value : undefined;
}

/** Whether a path in overrides is that of a part or inside it; items of a list are inside it. */
function isBelow(path: string, part: string): boolean {
  return path === part || (path.startsWith(part) && /^[.[]/.test(path.slice(part.length)));
}

function portChanges(
  role: 'input' | 'output' | 'output(train)',
  before: readonly SummaryPort[],
  after: readonly SummaryPort[],
) {
  const [old, now] = [before, after].map((ports) => new Map(ports.map(({ name, type }) => [name, type])));
  return changesOf(old ?? new Map<string, string>(), now ?? new Map<string, string>(), (a, b) => a === b).map(
    (one) => ({
      role,
      ...one,
    }),
  );
}

function equationChanges(before: ReadonlyMap<string, Code>, after: ReadonlyMap<string, Code>): DifferenceLine[] {
  const text = ({ lines }: Code) => lines.join(' ');
  const changed = new Set(changesOf(before, after, (a, b) => text(a) === text(b)).map(({ name }) => name));
  const [old, now] = [before, after].map((all) =>
    [...all].flatMap(([name, { lines }]) => (changed.has(name) ? lines : [])),
  );
  return lineDifferences(old ?? [], now ?? []);
}

function codeChanges(before: ReadonlyMap<string, Code>, after: ReadonlyMap<string, Code>): CodeChange[] {
  const text = ({ lines }: Code) => lines.join(' ');
  return changesOf(before, after, (a, b) => text(a) === text(b)).map(({ name, before: old, after: now }) => ({
    name,
    before: old?.place,
    after: now?.place,
    lines: lineDifferences(old?.lines ?? [], now?.lines ?? []),
  }));
}

function moduleChanges(before: Anatomy, after: Anatomy): ModuleChange[] {
  const types = ({ outputs }: SummaryModule) => outputs.join(' ');
  const ownEquations = (path: string) => before.own.get(path) !== after.own.get(path);
  const isSame = (a: SummaryModule, b: SummaryModule) =>
    a.module === b.module &&
    types(a) === types(b) &&
    a.parameters === b.parameters &&
    a.flops === b.flops &&
    a.activationBytes === b.activationBytes &&
    !ownEquations(a.path);
  return changesOf(before.modules, after.modules, isSame).map((one) => ({
    ...one,
    ownEquations: ownEquations(one.name),
  }));
}

function weightChanges(before: readonly ComparedWeight[], after: readonly ComparedWeight[]): WeightChanges {
  const old = new Map(before.map((weight) => [weight.path, weight]));
  const now = new Map(after.map((weight) => [weight.path, weight]));
  return {
    added: after.filter(({ path }) => !old.has(path)),
    removed: before.filter(({ path }) => !now.has(path)),
    reshaped: after.flatMap((weight) => {
      const was = old.get(weight.path);
      return was && shapeText(was) !== shapeText(weight) ? [{ path: weight.path, before: was, after: weight }] : [];
    }),
    initial: after.flatMap(({ path, initial, ...weight }) => {
      const was = old.get(path);
      if (!was || shapeText(was) !== shapeText(weight) || was.initial === initial) return [];
      return [{ path, before: was.initial, after: initial }];
    }),
  };
}

export function shapeText({ dtype, shape }: Pick<GraphWeight, 'dtype' | 'shape'>): string {
  return `${dtype}[${shape.join(', ')}]`;
}

export function elementsOf({ shape }: Pick<GraphWeight, 'shape'>): number {
  return shape.reduce((n, size) => n * size, 1);
}

function carriedWeights(before: readonly GraphWeight[], after: readonly GraphWeight[]): CarriedWeights {
  const old = new Map(before.map((weight) => [weight.path, shapeText(weight)]));
  const isCarried = (weight: GraphWeight) => old.get(weight.path) === shapeText(weight);
  const carried = after.filter(isCarried);
  const initial = after.filter((weight) => !isCarried(weight));
  const parameters = (weights: readonly GraphWeight[]) =>
    weights.reduce((n, weight) => n + (weight.role === 'param' ? elementsOf(weight) : 0), 0);
  return {
    weights: { carried: carried.length, initial: initial.length, unused: before.length - carried.length },
    parameters: { carried: parameters(carried), initial: parameters(initial) },
  };
}

function operatorChanges(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>) {
  return changesOf(before, after, (a, b) => a === b)
    .map(({ name, before: old = 0, after: now = 0 }) => ({ op: name, before: old, after: now }))
    .sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before) || (a.op < b.op ? -1 : 1));
}

function changesOf<T>(
  before: ReadonlyMap<string, T>,
  after: ReadonlyMap<string, T>,
  isSame: (before: T, after: T) => boolean,
): Named<T>[] {
  return inOrder(before.keys(), after.keys()).flatMap((name) => {
    const [old, now] = [before.get(name), after.get(name)];
    return old !== undefined && now !== undefined && isSame(old, now) ? [] : [{ name, before: old, after: now }];
  });
}

/** Joins two orders: what only the second has comes after what it follows there. */
function inOrder(before: Iterable<string>, after: Iterable<string>): string[] {
  const order = [...new Set(before)];
  const known = new Set(order);
  let previous = -1;
  for (const name of new Set(after)) {
    if (known.has(name)) {
      previous = order.indexOf(name);
      continue;
    }
    order.splice(++previous, 0, name);
    known.add(name);
  }
  return order;
}

/** Paths of weights without those inside another path: `mid.layers.5` for all weights of a layer that is new. */
export function gatheredPaths(
  weights: readonly GraphWeight[],
  others: readonly GraphWeight[],
): { readonly path: string; readonly weights: readonly GraphWeight[] }[] {
  const chosen = new Set(weights);
  const kept = others.filter((weight) => !chosen.has(weight)).map(({ path }) => path);
  const groups = new Map<string, GraphWeight[]>();
  for (const weight of weights) {
    const steps = weight.path.split('.');
    let path = weight.path;
    for (let n = 1; n < steps.length; n++) {
      const prefix = steps.slice(0, n).join('.');
      if (kept.some((other) => isWithin(other, prefix))) continue;
      path = `${prefix}.*`;
      break;
    }
    groups.set(path, [...(groups.get(path) ?? []), weight]);
  }
  return [...groups].map(([path, found]) => ({ path, weights: found }));
}
