import type { Expr, Param } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import { asConstant } from '../../dims/dim.ts';
import type { Context } from '../../elaborate/context/context.ts';
import type { Instance, Val } from '../../elaborate/context/elaborated.ts';
import type { DeepOverride } from '../../elaborate/models/flat-model.ts';
import type { ModelGraph } from '../../elaborate/models/model.ts';
import { madeMember } from '../../elaborate/modules/members.ts';
import { slotOf } from '../../elaborate/modules/slots.ts';
import { translateFactory } from './constructs.ts';
import { bool, float, int, type Kind, listOf, none, unknown } from './kinds.ts';
import { atom, floatText, number, type Py, stringLiteral } from './python/tree.ts';
import type { Changes, Package, Scope, Value } from './scope.ts';

/** What the lines of a model that change the inside of its parts are translated with. */
export interface ChangeContext {
  readonly pack: Package;
  readonly context: Context;
  readonly model: ModelGraph;
  /** The body of the model's own constructor, in which names of the model mean something. */
  readonly own: () => Scope;
}

/** Returns the lines of a chain of models as a tree for each part; nearer models replace what others set. */
export function changesOf(cx: ChangeContext): ReadonlyMap<string, Changes> {
  const roots = new Map<string, MutableChanges>();
  const lines = [...cx.model.flat.overrides].sort((a, b) => a.nearness - b.nearness);
  for (const line of lines) {
    const steps = line.path.steps.map((step) =>
      step.kind === 'name' ? step.name.name : step.kind === 'any' ? '*' : indexText(cx, step.value),
    );
    let below = roots;
    let at: MutableChanges | undefined;
    for (const step of steps) {
      at = below.get(step) ?? emptyChanges(line);
      below.set(step, at);
      below = at.below;
    }
    if (!at) continue;
    at.below.clear();
    at.line = {
      text: cx.pack.text(line.value.span),
      value: (scope, slot) => valueOfLine(cx, line, steps, scope, slot),
    };
  }
  return roots;
}

interface MutableChanges extends Changes {
  line: Changes['line'];
  readonly below: Map<string, MutableChanges>;
}

const emptyChanges = (line: DeepOverride): MutableChanges => ({
  line: undefined,
  below: new Map(),
  span: line.path.span,
});

function indexText(cx: ChangeContext, value: Expr): string {
  if (value.kind === 'int') return String(value.value);
  cx.pack.refuse(value.span, 'change the item of a list by a computed index');
  return '0';
}

/** A key of changes: classes whose inside is changed in the same way are the same. */
export function changesKey(changes: Changes | undefined): string {
  if (!changes) return '';
  const below = [...changes.below].map(([name, one]) => `${name}:${changesKey(one)}`).sort();
  return `${changes.line?.text ?? ''}{${below.join(',')}}`;
}

function valueOfLine(
  cx: ChangeContext,
  line: DeepOverride,
  steps: readonly string[],
  scope: Scope,
  slot: Param | undefined,
): Value {
  const plain = literal(heldBy(cx, steps));
  if (plain) return plain;
  const { flat } = cx.model;
  const isOwn = (name: string) => flat.params.has(name) || flat.fields.has(name) || flat.lets.has(name);
  if (scope !== cx.own())
    for (const node of nodesBelow(line.value))
      if (node.kind === 'name' && isOwn(node.name))
        return cx.pack.refuse(line.value.span, `read \`${node.name}\` of the model inside one of its parts`);
  return scope.within(line.file, () => {
    const holes = slot !== undefined && slotOf(slot, line.file).holes;
    const isFactory = slot !== undefined && (holes || isHole(scope, slot));
    return isFactory && line.value.kind !== 'none'
      ? { py: translateFactory(scope, line.value), kind: unknown, any: false }
      : scope.translate(line.value);
  });
}

/** Whether the parameter's type, seen from any file of the program, is an interface with parameters. */
function isHole(scope: Scope, { type }: Param): boolean {
  if (type.kind !== 'named-type') return false;
  return scope.pack.isHoleType(type.name.name, type.span.file);
}

/** The value that the elaborated model has at a path. */
function heldBy({ context, model }: ChangeContext, steps: readonly string[]): Val | undefined {
  const [first = '', ...others] = steps;
  let at: Val | undefined = model.instances.get(first);
  for (const [i, step] of others.entries()) {
    if (at?.kind === 'list') at = at.items[step === '*' ? 0 : Number(step)];
    else if (at?.kind === 'instance') at = memberOf(context, model, at.instance, step, i === others.length - 1);
    else return undefined;
  }
  return at;
}

function memberOf(
  context: Context,
  model: ModelGraph,
  instance: Instance,
  step: string,
  isLast: boolean,
): Val | undefined {
  const part = model.partsOf(instance).get(step);
  if (part && !isLast) return part;
  return madeMember(context, instance, step);
}

/** A static value as a literal; undefined for modules, functions and symbolic dims. */
export function literal(value: Val | undefined): Value | undefined {
  const made = (py: Py, kind: Kind): Value => ({ py, kind, any: false });
  switch (value?.kind) {
    case 'dim': {
      const n = asConstant(value.dim);
      return n === undefined ? undefined : made(number(n), int);
    }
    case 'float':
      return made(
        value.value < 0
          ? { kind: 'unary', op: '-', operand: atom(floatText(-value.value)) }
          : atom(floatText(value.value)),
        float,
      );
    case 'bool':
      return made(atom(value.value ? 'True' : 'False'), bool);
    case 'string':
      return made(stringLiteral(value.value), { kind: 'string', choices: [] });
    case 'none':
      return made(atom('None'), none);
    case 'list': {
      const items = value.items.map(literal);
      const all = items.flatMap((item) => (item ? [item] : []));
      if (all.length < items.length) return undefined;
      return made({ kind: 'list', items: all.map(({ py }) => py) }, listOf(all[0]?.kind ?? unknown));
    }
    default:
      return undefined;
  }
}
