import type { Span } from '../../../grammar/span.ts';
import type { ImplementationMember, MethodMember, ModuleDecl } from '../../../grammar/tree.ts';
import { type PatternStore, patternStore } from '../patterns/context.ts';
import type { Instance, Read, Template, Val } from './elaborated.ts';
import type { NeedsStore } from './needs.ts';

/** A template with its instance and reads, a candidate for other instances. */
export interface Shared {
  readonly template: Template;
  readonly self: Instance;
  readonly reads: readonly Read[];
}

/** Candidates that read the same set of plain parameters and statics, by the values read. */
export interface AlikeInNames {
  readonly names: readonly string[];
  readonly byValues: Map<string, Shared[]>;
}

/**
 * An instance that was fully constructed without an error, so that other instances of the same spec can construct
 * their parts lazily.
 */
export interface Exemplar {
  readonly identity: string;
  /** Parameters and statics other than modules, which depend on paths. */
  readonly plain: ReadonlyMap<string, Val>;
  /** The value of `training` it applies to; undefined if its construction did not read `training`. */
  readonly training: boolean | undefined;
  /** The steps of its construction: see `Budget`. */
  readonly steps: number;
  /** The modules that its construction constructed, its own and those of its parts. */
  readonly constructed: ReadonlySet<ModuleDecl>;
}

/** A part that an instance constructed itself, not a shared one. */
export interface OwnPart {
  /** The name of the part, or of the list that contains it: `merges`. */
  readonly name: string;
  /** Its path step below the owner: `merges[1]`. */
  readonly step: string;
  /** Its path in checkpoints, relative to the owner's. */
  readonly path: string;
  /** The span of its declaration. */
  readonly span: Span;
  /** The part itself, or an instance with the same identity. */
  readonly instance: Instance;
}

/** A method written without a signature, and the same with the signature that its interface promises. */
export interface Implementation {
  readonly promised: MethodMember;
  readonly method: MethodMember;
}

/** Templates of one run, by key. */
export type Templates = Map<string, Template | 'under elaboration'>;

/** Templates of the runs in each mode. */
export interface Forms {
  readonly inference: Templates;
  readonly training: Templates;
}

/** Removes templates with faults. */
export function removeFaulty(templates: Templates | Map<string, Template>): void {
  for (const [key, one] of templates) if (one !== 'under elaboration' && one.faults.size > 0) templates.delete(key);
}

/**
 * The caches shared by the contexts of one program, and by later programs in which some of the files are the same: keys
 * contain the `id`s of scopes.
 */
export interface TemplateStore {
  /** Modules that were constructed by the work under way, so that their bodies have been checked. */
  constructed: Set<ModuleDecl>;
  /** Candidates for other instances, by method and static arguments. */
  readonly byMethod: Map<string, AlikeInNames[]>;
  /** Templates that do not read `training`, by instance, method and static arguments. */
  readonly settled: Map<string, Template>;
  /** By spec, for modules without overrides. */
  readonly exemplars: Map<string, Exemplar>;
  readonly identities: Map<string, string>;
  /** By identity. */
  readonly parts: Map<string, readonly OwnPart[]>;
  /** The dependencies of outputs, and of the gradients of a loss. */
  readonly needs: { readonly values: NeedsStore; readonly gradients: NeedsStore };
  /** The span at which too deep nesting of calls was reported. */
  tooDeep: Span | undefined;
  /** Methods written without a signature, completed with the one of their interface. */
  readonly implementations: Map<ImplementationMember, Implementation>;
  readonly patterns: PatternStore;
}

/** Returns empty caches. `patterns` can be reused, since it does not depend on templates. */
export function templateStore(patterns = patternStore()): TemplateStore {
  const values: NeedsStore = { flow: 'values', ofBodies: new Map() };
  return {
    constructed: new Set(),
    byMethod: new Map(),
    settled: new Map(),
    exemplars: new Map(),
    identities: new Map(),
    parts: new Map(),
    needs: { values, gradients: { flow: 'gradients', ofBodies: new Map(), smooth: new Map(), values } },
    tooDeep: undefined,
    implementations: new Map(),
    patterns,
  };
}
