import type { Declaration } from '../../grammar/tree.ts';
import type { FileScope, Found } from '../elaborate/source/file-scope.ts';
import type { Program } from '../elaborate/source/program.ts';
import { namedModel, recipeChain, recipesOf } from '../elaborate/source/recipe-chain.ts';

/** A declaration as the checks of others see it. Places in the source are not part of it. */
export interface Part {
  readonly file: string;
  /** Its text with its docs and attributes. */
  readonly text: string;
  /** For each word of the text that names a declaration, that declaration's file and name. */
  readonly named: readonly string[];
}

/**
 * All that the check of a declaration without messages can depend on: the declaration, and those that it names,
 * directly or through others, without the library.
 */
export type Meaning = readonly Part[];

/** A part, and the declarations whose parts belong to the same meanings. */
interface Reading extends Part {
  readonly next: readonly Found[];
}

/** For each scope, which several programs may have, its declarations that were read. */
export type Readings = WeakMap<FileScope, Map<Declaration, Reading>>;

export interface MeaningOptions {
  /** The paths of files that are not part of meanings. */
  readonly library: ReadonlySet<string>;
  readonly readings: Readings;
}

/** Returns the meaning of a declaration. */
export function meaningOf(at: Found, { library, readings }: MeaningOptions): Meaning {
  const parts = new Map<Declaration, Reading>();
  const open: Found[] = [at, ...besides(at)];
  for (let one = open.pop(); one; one = open.pop()) {
    if (parts.has(one.decl) || library.has(one.file.file)) continue;
    const reading = readingOf(one, readings);
    parts.set(one.decl, reading);
    open.push(...reading.next);
  }
  return [...parts.values()];
}

export function isSameMeaning(one: Meaning, other: Meaning): boolean {
  return one.length === other.length && one.every((part, i) => isSamePart(part, other[i]!));
}

function isSamePart(one: Part, other: Part): boolean {
  if (one === other) return true;
  return (
    one.file === other.file &&
    one.text === other.text &&
    one.named.length === other.named.length &&
    one.named.every((name, i) => name === other.named[i])
  );
}

/** Whether no file with a part of a meaning has a message of its own, such as a syntax error. */
export function isSound({ diagnostics, files }: Program, meaning: Meaning): boolean {
  const faulty = new Set(diagnostics.map(({ span }) => span.file));
  return meaning.every(({ file }) => !faulty.has(file) && !files.get(file)?.doubt);
}

/** What a check reads besides what the text names: the model of a recipe, and the recipe that a variant inherits. */
function besides({ decl, file }: Found): readonly Found[] {
  const recipe =
    decl.kind === 'recipe'
      ? { decl, file }
      : decl.kind === 'model' && decl.base
        ? recipesOf({ decl, file })[0]
        : undefined;
  if (!recipe) return [];
  const chain = recipeChain(recipe);
  const named = 'base' in chain ? undefined : namedModel(chain);
  return [recipe, ...(named ? found([named.name.name], named.file) : [])];
}

function readingOf({ decl, file }: Found, readings: Readings): Reading {
  const known = readings.get(file) ?? new Map<Declaration, Reading>();
  readings.set(file, known);
  const reading = known.get(decl) ?? read(decl, file);
  known.set(decl, reading);
  return reading;
}

function read(decl: Declaration, file: FileScope): Reading {
  const { docs, attributes, span } = decl;
  const start = Math.min(span.start, ...attributes.map((one) => one.span.start));
  const text = file.tree.text.slice(start, span.end);
  // A recipe that another one extends may be for another model, which the check does not read.
  const model = decl.kind === 'recipe' ? decl.model : undefined;
  const rest = model ? text.slice(0, model.span.start - start) + text.slice(model.span.end - start) : text;
  const next = new Map(resolved(wordsOf(rest), file));
  const named = [...next, ...resolved(model ? [model.name] : [], file)];
  return {
    file: file.file,
    text: [...docs, text].join('\n'),
    named: named.map(([word, at]) => `${word} ${at.decl.kind} ${at.decl.name.name} ${at.file.file}`),
    next: [...next.values()],
  };
}

function found(words: Iterable<string>, file: FileScope): readonly Found[] {
  return resolved(words, file).map(([, at]) => at);
}

/** Returns the words that name declarations, with these. */
function resolved(words: Iterable<string>, file: FileScope): readonly (readonly [string, Found])[] {
  return [...words].flatMap((word) => {
    const at = file.lookup(word);
    return at ? [[word, at] as const] : [];
  });
}

function wordsOf(text: string): ReadonlySet<string> {
  return new Set(text.match(/[A-Za-z_]\w*/g));
}
