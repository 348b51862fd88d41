import type { ModuleMember, Param } from '../../../grammar/tree.ts';
import type { Read } from '../calls/sharing.ts';
import type { Place } from '../context/paths.ts';
import type { Context, Overrides, Scope } from '../context/scope.ts';
import type { Given, Instance, Spec, Val } from '../context/values.ts';
import { declaredOf } from './declared.ts';

/** What construction needs beyond the finished instance: how each name comes to its value. */
export interface Making {
  readonly given: ReadonlyMap<string, Given>;
  readonly overrides: Overrides | undefined;
  readonly members: ReadonlyMap<string, ModuleMember>;
  readonly params: ReadonlyMap<string, Param>;
  /** Names whose values are being made; there are none where nobody looks into the instance. */
  busy: Set<string> | undefined;
  readonly spec: Spec;
  /** Where its parameters and fields are evaluated, made once. */
  body: Scope | undefined;
  /** Whether what its parts take was counted when it was made, though they come later. */
  readonly counted: boolean;
}
export const makings = new WeakMap<Instance, Making>();

/** An instance that was made whole, and proved sound: others of the same spec need not be, until something asks for a part. */
export interface Exemplar {
  readonly identity: string;
  /** Parameters and statics that are no modules, which have paths. */
  readonly plain: ReadonlyMap<string, Val>;
  /** For which of the two it holds; undefined when making it did not look at `training`. */
  readonly training: boolean | undefined;
  /** What it took: see `Depth`. */
  readonly steps: number;
}

/** Whether a module or a part of one is in it, which is another for another instance. */
export function holdsModule(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(holdsModule);
  return value.kind === 'instance' || value.kind === 'method';
}

/**
 * Makes something that templates under elaboration do not look into, though one of them may have asked for it; but they too
 * depend on `training` where it does.
 */
export function apart<T>(
  context: Context,
  make: () => T,
): { readonly result: T; readonly training: boolean | undefined } {
  const reads: Read[] = [];
  context.reads.push(reads);
  let result: T;
  try {
    result = make();
  } finally {
    context.reads.pop();
  }
  const read = reads.find((one) => one.kind === 'training');
  if (read) context.reads.at(-1)?.push(read);
  return { result, training: read?.value };
}

/** `plain` are parameters and statics that an exemplar had: what it took to make them and the parts was counted with it. */
export function empty(
  context: Context,
  spec: Spec,
  { path, source }: Place,
  overrides: Overrides | undefined,
  plain: Map<string, Val> | undefined,
): Instance {
  const { decl, file, span } = spec;
  const { members, methods, params, interfaces } = declaredOf(context, decl, file);
  const instance: Instance = {
    decl,
    file,
    path,
    source,
    statics: plain ?? new Map(),
    fields: new Map(),
    methods,
    span,
    identity: '',
    interfaces,
  };
  makings.set(instance, {
    given: spec.args,
    overrides,
    members,
    params,
    busy: undefined,
    spec,
    body: undefined,
    counted: plain !== undefined,
  });
  return instance;
}

/** Whether a variant said anything of the inside of an instance. */
export function isOverridden(instance: Instance): boolean {
  return (makings.get(instance)?.overrides?.below.size ?? 0) > 0;
}
