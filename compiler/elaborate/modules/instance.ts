import { type Context, type Observed, observe, trainingSeen } from '../context/context.ts';
import type { Instance, Overrides, Read, Spec, Val } from '../context/elaborated.ts';
import type { Place } from '../context/paths.ts';
import { declaredOf } from './declared.ts';

/** What an instance starts with, besides its spec. */
export interface Start {
  readonly overrides: Overrides | undefined;
  readonly shadow: boolean;
  /** Parameters and statics that an exemplar had; the steps of these and of the parts were counted with it. */
  readonly plain?: ReadonlyMap<string, Val>;
}

/** An instance of which no member has been made yet, except those of its exemplar. */
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

/** Whether a module or a part of one is in it, which is another for another instance. */
export function holdsModule(value: Val): boolean {
  if (value.kind === 'list') return value.items.some(holdsModule);
  return value.kind === 'instance' || value.kind === 'method';
}

/** Whether a shadow is in it, of which no model can be made. */
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

/** Whether what is overridden can be read in an instance: a member of its own, or of a module that was passed in. */
export function mayReadOverrides(instance: Instance): boolean {
  if (isOverridden(instance)) return true;
  for (const { value } of instance.args.values()) if (holdsModule(value)) return true;
  return false;
}

/**
 * Does some work that templates under elaboration do not look into, though one of them may have asked for it; but they too
 * depend on `training` where it does.
 */
export function makeApart<T>(
  context: Context,
  make: (context: Context) => T,
): Observed<T> & { readonly training: boolean | undefined } {
  const observed = observe(context, make);
  return { ...observed, training: noteTraining(context, observed.reads) };
}

/** Hands on whether some work looked at `training`; the value that it saw. */
export function noteTraining(context: Context, reads: readonly Read[]): boolean | undefined {
  const training = trainingSeen(reads);
  if (training !== undefined) context.reads.push({ kind: 'training', value: training });
  return training;
}
