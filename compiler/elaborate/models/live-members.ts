import type { Context } from '../context/context.ts';
import type { Instance, OverrideLine, Read, Template, Val } from '../context/elaborated.ts';
import { isOverridden, mayReadOverrides } from '../modules/instance.ts';
import { madeMember } from '../modules/members.ts';

/**
 * Returns the override lines that a model depends on: those of members that its methods read, and of members from
 * which these were computed. Undefined if this is unknown, because a module was passed to a function.
 */
export function liveLines(context: Context, reads: readonly Read[]): ReadonlySet<OverrideLine> | undefined {
  const walk = new Walk(context);
  for (const read of reads) walk.read(read, new Map());
  return walk.isExact ? walk.lines : undefined;
}

/** Maps each instance for which a template was elaborated to the instance for which it is used. */
type Counterparts = Map<Instance, Instance>;

class Walk {
  readonly lines = new Set<OverrideLine>();
  isExact = true;
  readonly #context: Context;
  readonly #members = new Map<Instance, Set<string>>();
  readonly #calls = new Map<Template, Set<Instance>>();

  constructor(context: Context) {
    this.#context = context;
  }

  read(read: Read, counterparts: Counterparts, template = read.kind === 'call' ? read.template : undefined): void {
    switch (read.kind) {
      case 'exact':
        this.isExact = false;
        break;
      case 'training':
        break;
      case 'member': {
        const instance = counterparts.get(read.instance) ?? read.instance;
        this.#member(instance, read.name);
        const value = madeMember(this.#context, instance, read.name);
        if (read.value && value) pair(read.value, value, counterparts);
        break;
      }
      case 'call':
        if (template) this.#call(counterparts.get(read.instance) ?? read.instance, template);
        break;
    }
  }

  #call(self: Instance, template: Template): void {
    if (!mayReadOverrides(self)) return;
    const seen = this.#calls.get(template) ?? new Set();
    if (seen.has(self)) return;
    this.#calls.set(template, seen.add(self));
    const counterparts: Counterparts = new Map(template.self ? [[template.self, self]] : []);
    for (const read of template.reads)
      this.read(read, counterparts, read.kind === 'call' ? template.body.calls[read.at]?.template : undefined);
  }

  #member(instance: Instance, name: string): void {
    const seen = this.#members.get(instance) ?? new Set();
    if (seen.has(name)) return;
    this.#members.set(instance, seen.add(name));
    const line = isOverridden(instance) ? instance.overrides?.below.get(name)?.line : undefined;
    if (line) this.lines.add(line);
    for (const [made, reads] of instance.madeFrom)
      if (made === name) for (const read of reads) if (read.kind === 'member') this.#member(read.instance, read.name);
  }
}

/** Records corresponding modules: those at the same place in two values. */
function pair(was: Val, is: Val, counterparts: Counterparts): void {
  if (was.kind === 'list' && is.kind === 'list') {
    for (const [i, item] of was.items.entries()) {
      const other = is.items[i];
      if (other) pair(item, other, counterparts);
    }
  } else if ((was.kind === 'instance' || was.kind === 'method') && (is.kind === 'instance' || is.kind === 'method')) {
    counterparts.set(was.instance, is.instance);
  }
}
