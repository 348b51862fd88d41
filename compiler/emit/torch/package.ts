import type { Span } from '../../../grammar/span.ts';
import type { FnDecl, InterfaceDecl, ModuleDecl } from '../../../grammar/tree.ts';
import type { Context } from '../../elaborate/context/context.ts';
import type { ModelGraph } from '../../elaborate/models/model.ts';
import type { Found } from '../../elaborate/source/file-scope.ts';
import type { Program } from '../../elaborate/source/program.ts';
import { changesKey } from './changes.ts';
import { type TranslatedClass, translateClass } from './classes.ts';
import { translateFunction } from './functions.ts';
import { type Kind, resultType } from './kinds.ts';
import { layerClass, ringFunction } from './layers.ts';
import { type LossesOf, translateLosses } from './losses.ts';
import { translateModel } from './model.ts';
import { tupleItemName } from './names.ts';
import { nativeModule } from './natives.ts';
import { atom, type PyStatement } from './python/tree.ts';
import type { Changes, ClassInfo, FnInfo, Package, Value } from './scope.ts';

/** Something that cannot be written for PyTorch. */
export interface Refusal {
  readonly span: Span;
  /** Completes the sentence "cannot …". */
  readonly what: string;
}

/** A declaration of the generated module, with the source file that it is made from. */
export interface Section {
  readonly file: string | undefined;
  readonly statement: () => PyStatement;
}

export interface Translated {
  readonly sections: readonly Section[];
  readonly refusals: readonly Refusal[];
}

export interface TranslatedModel extends Translated {
  /** The names that the module declares. */
  readonly names: ReadonlySet<string>;
  /** The function `losses`, and what it uses that the module does not declare. */
  readonly losses: Translated | undefined;
}

/** Translates a model and all declarations that it uses, each once, behind those that it uses; likewise its losses. */
export function translatePackage(
  program: Program,
  context: Context,
  model: ModelGraph,
  recipe: Pick<LossesOf, 'recipe' | 'file' | 'declaredIn' | 'equations'> | undefined,
): TranslatedModel {
  const translation = new Translation(program, model.flat.name);
  const { statement, result } = translateModel(translation, context, model);
  const { sections, refusals } = translation.finished();
  return {
    sections: [...sections, { file: model.flat.file.file, statement: () => statement }],
    refusals,
    names: translation.names(),
    losses: recipe && lossesWith(translation, { ...recipe, model: model.flat, result }),
  };
}

function lossesWith(translation: Translation, of: LossesOf): Translated {
  const statement = translateLosses(translation, of);
  const { sections, refusals } = translation.finished();
  return { sections: [...sections, { file: of.declaredIn, statement: () => statement }], refusals };
}

class Translation implements Package {
  #sections: Section[] = [];
  #refusals: Refusal[] = [];
  readonly #program: Program;
  readonly #names = new Set<string>();
  readonly #fns = new Map<string, FnInfo>();
  readonly #classes = new Map<string, ClassInfo>();
  /** Classes and functions for initial values. */
  readonly #layers = new Map<string, string>();
  readonly #tuples = new Map<string, Kind>();

  constructor(program: Program, model: string) {
    this.#program = program;
    this.#names.add(model);
  }

  /** What was translated since the last call. */
  finished(): Translated {
    const own = { sections: this.#sections, refusals: this.#refusals };
    this.#sections = [];
    this.#refusals = [];
    return own;
  }

  names(): ReadonlySet<string> {
    return new Set(this.#names);
  }

  readonly text = (span: Span): string => this.#program.text(span);
  readonly isTaken = (name: string): boolean => this.#names.has(name);
  readonly native = (found: Found) => nativeModule(found);

  readonly isHoleType = (name: string, file: string): boolean => {
    const found = this.#program.files.get(file)?.lookup(name);
    return found?.decl.kind === 'interface' && found.decl.params.length > 0;
  };

  readonly fn = (found: Found & { readonly decl: FnDecl }): FnInfo => {
    const key = keyOf(found);
    const known = this.#fns.get(key);
    if (known) return known;
    const name = this.#name(found.decl.name.name);
    const { info, statement } = translateFunction(this, found, name, (begun) => this.#fns.set(key, begun));
    this.#fns.set(key, info);
    this.#sections.push({ file: found.file.file, statement: () => statement });
    return info;
  };

  readonly classOf = (found: Found & { readonly decl: ModuleDecl | InterfaceDecl }, changes?: Changes): ClassInfo => {
    const key = keyOf(found) + changesKey(changes);
    const known = this.#classes.get(key);
    if (known) return known;
    const name = this.#name(found.decl.name.name);
    const named = { name, version: changesKey(changes) };
    const made: TranslatedClass = translateClass(this, found, named, changes, (begun) => this.#classes.set(key, begun));
    this.#sections.push({ file: found.file.file, statement: made.finished });
    return made.info;
  };

  readonly version = (found: Found & { readonly decl: ModuleDecl | InterfaceDecl }, version: string): ClassInfo =>
    this.#classes.get(keyOf(found) + version) ?? this.classOf(found);

  readonly layer = (found: Found & { readonly decl: ModuleDecl }): string => {
    const native = nativeModule(found);
    const key = keyOf(found);
    const known = this.#layers.get(key);
    if (known !== undefined || !native) return known ?? '';
    const name = this.#name(native.type.replace(/^nn\./, ''));
    this.#layers.set(key, name);
    const statement = layerClass(this, found, native, name);
    this.#sections.push({ file: found.file.file, statement: () => statement });
    return name;
  };

  readonly ring = (): string => {
    const known = this.#layers.get('ring');
    if (known !== undefined) return known;
    const name = this.#name('ring_');
    this.#layers.set('ring', name);
    this.#sections.push({ file: undefined, statement: () => ringFunction(name) });
    return name;
  };

  readonly hasRefused = (): boolean => this.#refusals.length > 0;

  readonly tuple = (owner: string, items: readonly { readonly name: string; readonly of: Kind }[]): Kind => {
    const key = `${owner} ${items.map(({ name }) => name).join(' ')}`;
    const known = this.#tuples.get(key);
    if (known) return known;
    const name = this.#name(owner);
    const attributes = items.map((item) => ({ ...item, attribute: tupleItemName(item.name) }));
    const kind: Kind = { kind: 'tuple', name, items: attributes };
    this.#tuples.set(key, kind);
    const fields = attributes.map(({ attribute, of }) => ({
      kind: 'field' as const,
      name: attribute,
      type: resultType(of),
    }));
    this.#sections.push({
      file: undefined,
      statement: () => ({ kind: 'class', name, bases: ['NamedTuple'], body: fields }),
    });
    return kind;
  };

  readonly refuse = (span: Span, what: string): Value => {
    this.#refusals.push({ span, what });
    return { py: atom('None'), kind: { kind: 'unknown' }, any: false };
  };

  /** A name that no other declaration has. */
  #name(wanted: string): string {
    let name = wanted;
    for (let i = 2; this.#names.has(name); i++) name = `${wanted}${i}`;
    this.#names.add(name);
    return name;
  }
}

function keyOf({ decl, file }: Found): string {
  return `${file.file}:${decl.name.name}`;
}
