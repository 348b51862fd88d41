import { type Context, type Observed, observe, trainingSeen } from '../context/context.ts';
import type { Instance, Overrides, Read, Spec, Val } from '../context/elaborated.ts';
import type { Place } from '../context/paths.ts';
import { declaredOf } from './declared.ts';

/** The initial state of an instance, besides its spec. */
export interface Start {
  readonly overrides: Overrides | undefined;
  readonly shadow: boolean;
  /** Parameters and statics of its exemplar; the steps of these and of the parts were counted with it. */
  readonly plain?: ReadonlyMap<string, Val>;
}

/** Creates an instance without evaluated members, except those of its exemplar. */
export function newInstance(context: Context, spec: Spec, { path, source }: Place, start: Start): Instance {
  const { decl, file, span, args, writer } = spec;
  const { overrides, shadow, plain } = start;
  return {
    decl,
    file,
    declared: declaredOf(context, decl, file),
    path,
    source,
    span,
    writer,
    args,
    overrides,
    shadow,
    counted: plain !== undefined,
    statics: new Map(plain),
    fields: new Map(),
    madeFrom: [],
    busy: [],
    identity: '',
  };
}

/** Whether a value contains a module or a method of one, which differs from instance to instance. */
export function holdsModule(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(holdsModule);
  return value.kind === 'instance' || value.kind === 'method';
}

/** Whether a value contains a module to be constructed, which has the span of its arguments. */
export function holdsSpec(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(holdsSpec);
  if (value.kind === 'tuple') return [...value.items.values()].some(holdsSpec);
  return value.kind === 'spec';
}

/** Whether a value contains a shadow, which cannot become part of a model. */
export function holdsShadow(value: Val): boolean {
  switch (value.kind) {
    case 'instance':
    case 'method':
      return value.instance.shadow;
    case 'list':
      return value.items.some(holdsShadow);
    case 'tuple':
      return [...value.items.values()].some(holdsShadow);
    case 'spec':
      return [...value.spec.args.values()].some((given) => holdsShadow(given.value));
    default:
      return false;
  }
}

/** Whether a variant changes something inside an instance. */
export function isOverridden({ overrides }: Instance): boolean {
  return (overrides?.below.size ?? 0) > 0;
}

/** Whether overridden members may be read in an instance: its own, or those of a module passed to it. */
export function mayReadOverrides(instance: Instance): boolean {
  if (isOverridden(instance)) return true;
  for (const { value } of instance.args.values()) if (holdsModule(value)) return true;
  return false;
}

/**
 * Runs `make` with separate reads, which do not count as reads of the templates under elaboration; a dependency on
 * `training` is passed on to them, however.
 */
export function makeApart<T>(
  context: Context,
  make: (context: Context) => T,
): Observed<T> & { readonly training: boolean | undefined } {
  const observed = observe(context, make);
  return { ...observed, training: noteTraining(context, observed.reads) };
}

/** Records a read of `training` in the context if `reads` has one; returns the value read. */
export function noteTraining(context: Context, reads: readonly Read[]): boolean | undefined {
  const training = trainingSeen(reads);
  if (training !== undefined) context.reads.push({ kind: 'training', value: training });
  return training;
}
