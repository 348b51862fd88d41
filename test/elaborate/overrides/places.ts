import type { CheckResult } from '../../../compiler/check/check.ts';
import type { Value } from './value.ts';

export type ModelGraph = CheckResult['models'] extends ReadonlyMap<string, infer Model> ? Model : never;

/** What a model was built of, as plain data: the parts, what stands in their parameters, and the model's own. */
export interface Built {
  readonly params: ReadonlyMap<string, Value>;
  readonly parts: ReadonlyMap<string, Place>;
}

export type Place = Part | { readonly kind: 'list'; readonly items: readonly Place[] } | { readonly kind: 'none' };

export interface Part {
  readonly kind: 'part';
  readonly module: string;
  /** Where it belongs: `backbone.merges[0]`. */
  readonly owned: string;
  /** Parameters, and other static members that were asked for. */
  readonly params: ReadonlyMap<string, Value>;
  readonly statics: ReadonlyMap<string, Value>;
  readonly parts: ReadonlyMap<string, Place>;
  /** Parameters that are parts of something else, by where those belong. */
  readonly shared: ReadonlyMap<string, string>;
}

/** A step of a path; `*` is each item of a list. */
export type Step = string | number | '*';

/** `['mid', 'layer', 0, 'heads']` as it is written: `mid.layer[0].heads`. */
export function pathText(steps: readonly Step[]): string {
  return steps
    .map((step, i) => (typeof step === 'number' || step === '*' ? `[${step}]` : i === 0 ? step : `.${step}`))
    .join('');
}

export function placesOf(model: ModelGraph): Built {
  const parts = new Map<string, Place>();
  for (const [name, value] of model.instances) parts.set(name, placeOf(model, value));
  return { params: new Map([...model.params].map(([name, value]) => [name, plainValue(value)])), parts };
}

type Val = ModelGraph['instances'] extends ReadonlyMap<string, infer V> ? V : never;

function placeOf(model: ModelGraph, value: Val): Place {
  if (value.kind === 'list') return { kind: 'list', items: value.items.map((item) => placeOf(model, item)) };
  if (value.kind !== 'instance') return { kind: 'none' };
  const { instance } = value;
  const parts = new Map<string, Place>();
  for (const [name, part] of model.partsOf(instance)) parts.set(name, placeOf(model, part));
  const shared = new Map<string, string>();
  for (const [name, held] of instance.statics)
    if (held.kind === 'instance' && !parts.has(name)) shared.set(name, held.instance.source);
  const names = new Set(instance.decl.params.map((param) => param.name.name));
  const params = new Map<string, Value>();
  const statics = new Map<string, Value>();
  for (const [name, held] of instance.statics) (names.has(name) ? params : statics).set(name, plainValue(held));
  return { kind: 'part', module: instance.decl.name.name, owned: instance.source, params, statics, parts, shared };
}

function plainValue(value: Val): Value {
  switch (value.kind) {
    case 'dim':
      return /^-?\d+$/.test(value.dim.key)
        ? { kind: 'number', n: Number(value.dim.key), float: false }
        : { kind: 'other' };
    case 'float':
      return { kind: 'number', n: value.value, float: true };
    case 'bool':
      return { kind: 'bool', is: value.value };
    case 'string':
      return { kind: 'string', text: value.value };
    case 'none':
      return { kind: 'none' };
    case 'list':
      return { kind: 'list', items: value.items.map(plainValue) };
    case 'function':
      return { kind: 'name', name: value.decl.name.name, spec: false };
    case 'builtin':
      return { kind: 'name', name: value.name, spec: false };
    case 'spec':
      return value.spec.args.size === 0
        ? { kind: 'name', name: value.spec.decl.name.name, spec: true }
        : { kind: 'other' };
    case 'init':
      return Object.keys(value.init.args).length === 0
        ? { kind: 'name', name: value.init.name, spec: false }
        : { kind: 'other' };
    default:
      return { kind: 'other' };
  }
}

/** The value of a parameter or static at a path without `*`; undefined where there is none. */
export function valueAt(built: Built, steps: readonly Step[]): Value | undefined {
  const [first, ...rest] = steps;
  if (typeof first !== 'string') return undefined;
  if (rest.length === 0) return built.params.get(first);
  const place = placeAt(built, steps.slice(0, -1));
  const last = steps.at(-1);
  if (place?.kind !== 'part' || typeof last !== 'string') return undefined;
  return place.params.get(last) ?? place.statics.get(last);
}

export function placeAt(built: Built, steps: readonly Step[]): Place | undefined {
  let at: Place | undefined;
  for (const [i, step] of steps.entries()) {
    if (i === 0) at = typeof step === 'string' ? built.parts.get(step) : undefined;
    else if (typeof step === 'number') at = at?.kind === 'list' ? at.items[step] : undefined;
    else at = at?.kind === 'part' ? at.parts.get(step) : undefined;
  }
  return at;
}

/** The paths without `*` that a path stands for. */
export function concrete(built: Built, steps: readonly Step[]): readonly (readonly Step[])[] {
  const star = steps.indexOf('*');
  if (star < 0) return [steps];
  const place = placeAt(built, steps.slice(0, star));
  if (place?.kind !== 'list') return [];
  return place.items.flatMap((_, i) => concrete(built, [...steps.slice(0, star), i, ...steps.slice(star + 1)]));
}

export interface Settable {
  readonly steps: readonly Step[];
  readonly value: Value;
  readonly module: string;
}

/** Every parameter of every part that belongs where it is reached, and the model's own. */
export function settable(built: Built): readonly Settable[] {
  const found: Settable[] = [...built.params].map(([name, value]) => ({ steps: [name], value, module: '' }));
  const visit = (place: Place, steps: readonly Step[]): void => {
    if (place.kind === 'list') for (const [i, item] of place.items.entries()) visit(item, [...steps, i]);
    if (place.kind !== 'part' || place.owned !== pathText(steps)) return;
    for (const [name, value] of place.params) found.push({ steps: [...steps, name], value, module: place.module });
    for (const [name, part] of place.parts) visit(part, [...steps, name]);
  };
  for (const [name, place] of built.parts) visit(place, [name]);
  return found;
}

/** What a right side can read: parameters and statics, in parts wherever they are. */
export function readable(built: Built): readonly { readonly steps: readonly Step[]; readonly value: Value }[] {
  const found: { steps: readonly Step[]; value: Value }[] = [...built.params].map(([name, value]) => ({
    steps: [name],
    value,
  }));
  const visit = (place: Place, steps: readonly Step[]): void => {
    if (place.kind === 'list') for (const [i, item] of place.items.entries()) visit(item, [...steps, i]);
    if (place.kind !== 'part') return;
    for (const [name, value] of [...place.params, ...place.statics]) found.push({ steps: [...steps, name], value });
    for (const [name, part] of place.parts) visit(part, [...steps, name]);
  };
  for (const [name, place] of built.parts) visit(place, [name]);
  return found;
}
