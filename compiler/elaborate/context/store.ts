import type { Span } from '../../../grammar/span.ts';
import type { ImplementationMember, MethodMember, ModuleDecl } from '../../../grammar/tree.ts';
import { type PatternStore, patternStore } from '../patterns/context.ts';
import type { Instance, Read, Template, Val } from './elaborated.ts';
import type { NeedsStore } from './needs.ts';

/** A template with what its elaboration looked at, a candidate for other instances. */
export interface Shared {
  readonly template: Template;
  readonly self: Instance;
  readonly reads: readonly Read[];
}

/** Candidates that read the same plain parameters and statics of their instance, by the values of these. */
export interface AlikeInNames {
  readonly names: readonly string[];
  readonly byValues: Map<string, Shared[]>;
}

/** An instance that was constructed with all its parts, without an error: the parts of others of the same spec can wait. */
export interface Exemplar {
  readonly identity: string;
  /** Parameters and statics that are no modules, which have paths. */
  readonly plain: ReadonlyMap<string, Val>;
  /** The form it holds for; undefined when its construction did not look at `training`. */
  readonly training: boolean | undefined;
  /** Steps that its construction took: see `Budget`. */
  readonly steps: number;
}

/** A part that an instance made, and does not share with another. */
export interface OwnPart {
  /** The name of the part, or of the list that it is in: `merges`. */
  readonly name: string;
  /** Its name as its owner writes it: `merges[1]`. */
  readonly step: string;
  /** Its path in checkpoints, relative to its owner's. */
  readonly path: string;
  /** Where it is declared. */
  readonly span: Span;
  /** It, or one of the same identity. */
  readonly instance: Instance;
}

/** What the contexts of one program share. */
export interface TemplateStore {
  /** Modules that were constructed, and whose bodies were so checked. */
  readonly constructed: Set<ModuleDecl>;
  /** By method and static arguments: candidates for other instances. */
  readonly byMethod: Map<string, AlikeInNames[]>;
  /** By instance and method and static arguments, those that do not look at `training`. */
  readonly settled: Map<string, Template>;
  /** By spec, without overrides. */
  readonly exemplars: Map<string, Exemplar>;
  readonly identities: Map<string, string>;
  /** By identity. */
  readonly parts: Map<string, readonly OwnPart[]>;
  /** What outputs depend on, and what a loss has a gradient for. */
  readonly needs: { readonly values: NeedsStore; readonly gradients: NeedsStore };
  /** Where it was reported that calls nest too deeply. */
  tooDeep: Span | undefined;
  /** Methods written without a signature, with that of their interface. */
  readonly implementations: Map<ImplementationMember, MethodMember>;
  readonly patterns: PatternStore;
}

/** Patterns are the same whatever templates are made from. */
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
