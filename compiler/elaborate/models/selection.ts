import type { Path } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Instance, Val } from '../context/elaborated.ts';
import { childPath, isWithin } from '../context/paths.ts';
import { fileScope } from '../context/scope.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { allMembers, fieldPath, madeMember, partsOf } from '../modules/members.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { ModelGraph } from './model.ts';
import { type WeightPart, weightParts } from './weight-parts.ts';

/** The weights that a path of a recipe selects. */
export interface Selection {
  /** Its source text: `text.layers[*].attention`. */
  readonly pattern: string;
  /** Paths of weights, and of modules including everything below them. */
  readonly roots: readonly string[];
}

export function selects({ roots }: Selection, weight: string): boolean {
  return roots.some((root) => isWithin(weight, root));
}

/** Whether one selection includes all of another. */
export function covers(one: Selection, other: Selection): boolean {
  return other.roots.every((root) => selects(one, root));
}

/** A module, a list of modules, or a weight. */
type Selected = { readonly kind: 'weight'; readonly path: string } | Val;

/**
 * Resolves a path such as `backbone.*` or `text.layers[*].attention` to modules or weights of the model; reports
 * CROB2322 and returns undefined if it has none.
 */
export function selectPath(context: Context, path: Path, model: ModelGraph): Selection | undefined {
  const pattern = context.run.program.text(path.span).replace(/\s+/g, '');
  const refuse = (help: string | undefined): undefined => {
    fail({ context }, 'CROB2322', path.span, { path: pattern, model: model.flat.name }, { help });
  };
  let at: Selected[] = [];
  // Whether these are parts whose weights are merged into their owner's by `@path("")`: their path would also select
  // the owner's.
  let merged = false;
  for (const [i, step] of path.steps.entries()) {
    const last = i === path.steps.length - 1;
    const before = at;
    if (step.kind === 'any') {
      at = at.flatMap((one) => anyOf(context, one, last));
    } else if (step.kind === 'at') {
      const n = asInt(evaluate(fileScope(context, model.flat.file), step.value));
      at = at.flatMap((one) => (one.kind === 'list' && n !== undefined && one.items[n] ? [one.items[n]!] : []));
    } else if (i === 0) {
      const found = model.instances.get(step.name.name);
      at = found ? [found] : [];
    } else {
      const owners = new Set(at.flatMap(rootsOf));
      at = at.flatMap((one) => (one.kind === 'instance' ? memberOf(context, one.instance, step.name.name) : []));
      merged = at.some((one) => one.kind === 'instance' && owners.has(one.instance.path));
    }
    const roots = at.flatMap(rootsOf);
    if (at.length === 0 || (last && roots.length === 0)) {
      return refuse(
        weightPathHelp(context, path, model) ?? stepHelp(context, step, i === 0 ? undefined : before, model),
      );
    }
    if (last && merged) return refuse('its weights stand among those of what it is a part of: select what is in it');
    if (last) return { pattern, roots };
  }
  return undefined;
}

/**
 * For a path as in weights files, `text.encoder.layer.0.*`, suggests the few paths that select the same weights in a
 * recipe. `*` before the end matches any number.
 */
function weightPathHelp(context: Context, { steps }: Path, model: ModelGraph): string | undefined {
  const names: string[] = [];
  for (const [i, step] of steps.entries()) {
    if (step.kind === 'any' && i === steps.length - 1) continue;
    const index = step.kind === 'at' ? asInt(evaluate(fileScope(context, model.flat.file), step.value)) : undefined;
    const name = step.kind === 'any' ? '*' : step.kind === 'name' ? step.name.name : index?.toString();
    if (name === undefined) return undefined;
    names.push(name);
  }
  const written = names.join('.');
  const found = weightPartsAt(weightParts(context, model), names);
  if (found.length === 0 || found.length > mostNamed) return undefined;
  const here = found.map((pattern) => `\`${pattern}\``).join(', ');
  return `\`${written}\` is ${names.includes('*') ? 'a' : 'its'} path in weights files; here it is ${here}`;
}

/** The maximum number of suggested paths; more would not help. */
const mostNamed = 6;

/** Returns the outermost parts whose weights all have paths that begin with these names. */
function weightPartsAt(parts: readonly WeightPart[], names: readonly string[]): readonly string[] {
  const isAt = (root: string) => {
    const own = root.split('.');
    return names.every((name, i) => own[i] === name || (name === '*' && /^\d+$/.test(own[i] ?? '')));
  };
  const taken: string[] = [];
  const patterns = new Set<string>();
  for (const { pattern, roots } of parts) {
    if (roots.length === 0 || !roots.every(isAt)) continue;
    if (roots.every((root) => taken.some((one) => isWithin(root, one)))) continue;
    taken.push(...roots);
    patterns.add(names.includes('*') ? pattern.replace(/\[\d+\]/g, '[*]') : pattern);
  }
  return [...patterns];
}

/** The help for a step that leads nowhere: names of the available parts, or the length of a list. */
function stepHelp(
  context: Context,
  step: Path['steps'][number],
  before: readonly Selected[] | undefined,
  model: ModelGraph,
): string | undefined {
  if (step.kind === 'any') return undefined;
  if (step.kind === 'at') {
    const lengths = [...new Set((before ?? []).flatMap((one) => (one.kind === 'list' ? [one.items.length] : [])))];
    return lengths.length === 1 ? `the list has ${lengths[0]} items, counted from 0` : undefined;
  }
  const names = before
    ? before.flatMap((one) => (one.kind === 'instance' ? memberNames(context, one.instance) : []))
    : [...model.instances].flatMap(([name, value]) => (rootsOf(value).length > 0 ? [name] : []));
  const known = [...new Set(names)];
  return (
    didYouMean(step.name.name, known) ??
    (known.length > 0 ? `what can be selected here: ${known.join(', ')}` : undefined)
  );
}

/** The names of a module's parts and weights. */
function memberNames(context: Context, instance: Instance): string[] {
  const weights = instance.decl.members.flatMap((member) =>
    member.kind === 'param' || member.kind === 'buffer' ? [member.name.name] : [],
  );
  return [
    ...[...partsOf(context, instance)].flatMap(([name, part]) => (rootsOf(part).length > 0 ? [name] : [])),
    ...weights,
  ];
}

/** Expands `*`: at the end of a path everything below; before the end each item of a list, or each part of a module. */
function anyOf(context: Context, one: Selected, last: boolean): Selected[] {
  if (one.kind === 'list') return [...one.items];
  if (one.kind !== 'instance' || last) return [one];
  return allMembers(context, one.instance).filter((part) => rootsOf(part).length > 0);
}

/** Finds a part by its name, or a weight by its name or its name in checkpoints. */
function memberOf(context: Context, instance: Instance, name: string): Selected[] {
  const found = madeMember(context, instance, name);
  if (found && rootsOf(found).length > 0) return [found];
  for (const member of instance.decl.members) {
    if (member.kind !== 'param' && member.kind !== 'buffer') continue;
    const path = fieldPath(context, instance, member.name.name, member.attributes, undefined);
    if (member.name.name === name || path === childPath(instance.path, name)) return [{ kind: 'weight', path }];
  }
  return [];
}

function rootsOf(one: Selected): string[] {
  if (one.kind === 'weight') return [one.path];
  if (one.kind === 'list') return one.items.flatMap(rootsOf);
  return one.kind === 'instance' ? [one.instance.path] : [];
}
