import { pathText, type Step } from './places.ts';
import type { RightSide } from './right-side.ts';
import { literal, type Value } from './value.ts';
import { declaredIn } from './words.ts';

/** A shipped model that variants are drawn of. */
export interface Base {
  readonly file: string;
  readonly model: string;
  /** The text of the model that it goes back to, where it changes no more than values of it. */
  readonly text?: string;
}

/** An override, in the `level`-th variant of a chain. */
export interface Line {
  readonly level: number;
  readonly steps: readonly Step[];
  readonly right: RightSide;
  /** Where it stands among the lines of its variant. */
  readonly place: number;
}

/** A line with the value that its right side has, by this test's own account of what it means. */
export interface Valued extends Line {
  readonly value: Value;
}

/** A chain of variants as source; the last one is called `name`, and the others `name_0` and so on. */
export function chainSource(
  name: string,
  base: Base,
  levels: number,
  lines: readonly (Line & { readonly value?: Value })[],
): string {
  const models = Array.from({ length: levels }, (_, level) => {
    const own = lines.filter((line) => line.level === level).sort((a, b) => a.place - b.place);
    const called = level === levels - 1 ? name : `${name}_${level}`;
    const below = level === 0 ? base.model : `${name}_${level - 1}`;
    const written = own.map((line) => `  ${settingText(line)}\n`).join('');
    return `model ${called} extends ${below} {\n${written}}\n`;
  });
  return models.join('');
}

export function settingText({ steps, right, value }: Line & { readonly value?: Value }): string {
  return `${pathText(steps)} = ${value ? literal(value) : right.text}`;
}

/** Whatever a source may name of the library, and the models. */
export function header(text: string, bases: readonly Base[]): string {
  const byFile = new Map<string, Set<string>>();
  const add = (file: string, name: string) => byFile.set(file, (byFile.get(file) ?? new Set()).add(name));
  for (const { file, model } of bases) add(file.replace('.crob', ''), model);
  for (const [word] of text.matchAll(/\b[A-Za-z_]\w*\b/g)) {
    const file = declaredIn.get(word);
    if (file !== undefined && isNamed(text, word)) add(file, word);
  }
  return [...byFile].map(([file, names]) => `use ${file}.{${[...names].join(', ')}}\n`).join('');
}

/** Whether a word stands for a declaration somewhere, and not only for a parameter or a step of a path. */
function isNamed(text: string, word: string): boolean {
  return /^[A-Z]/.test(word) || new RegExp(`(?<![.\\w])${word}\\b(?! *=|\\.|\\[)`).test(text);
}
