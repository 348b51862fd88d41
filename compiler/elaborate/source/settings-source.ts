import type { Span } from '../../../grammar/span.ts';
import type { ModelDecl, RecipeDecl } from '../../../grammar/tree.ts';
import { recipeSettings } from './recipe-tables.ts';

/** The file name of `--set` as source. */
export const settingsFile = '--set';

/** `--set` as declarations, and as typed, which messages quote. */
export interface SettingsSource {
  readonly text: string;
  /** One setting per line: `recipe.lr=1e-4`. */
  readonly typed: string;
  /** The ranges of the text that correspond to typed text, in order. */
  readonly stretches: readonly Stretch[];
  /** Settings that `--set` cannot change; they are not in the text. */
  readonly refused: readonly { readonly name: string; readonly span: Span; readonly help: string }[];
}

interface Stretch {
  readonly from: number;
  readonly to: number;
  /** Offset and length in the typed text. */
  readonly typed: number;
  readonly length: number;
}

/** The settings for a model and its recipe. */
export interface Settings {
  readonly model: ModelDecl;
  readonly recipe: RecipeDecl | undefined;
  /** Sizes of the recipe: `H=256`. */
  readonly dims: ReadonlyMap<string, number>;
  /** As typed: `mid.layers=3` for the model, `recipe.clip=1` for the recipe. */
  readonly overrides: readonly string[];
}

/** One setting, split into name and value with their typed positions. */
interface Setting {
  readonly name: string;
  readonly nameAt: number;
  readonly nameLength: number;
  readonly value: string;
  readonly valueAt: number;
}

/** Returns a variant of the model if it is changed, and a recipe that extends the chosen one if that is changed. */
export function settingsSource({ model, recipe, dims, overrides }: Settings): SettingsSource {
  const sizes = recipe ? [...dims].map(([name, n]) => `${name}=${n}`) : [];
  const lines = [...sizes, ...overrides];
  const settings = lines.map((line, i) =>
    takenApart(
      line,
      lines.slice(0, i).reduce((at, one) => at + one.length + 1, 0),
    ),
  );
  const ofRecipe = settings.slice(sizes.length).filter(({ name }) => recipe && /^recipe\b/.test(name));
  const ofModel = settings.slice(sizes.length).filter((one) => !ofRecipe.includes(one));
  const writer = new Writer();
  if (ofModel.length > 0) {
    writer.write(`model ${model.name.name} extends ${model.name.name} {\n`);
    for (const one of ofModel) writer.setting(one);
    writer.write('}\n');
  }
  const refused: SettingsSource['refused'][number][] = [];
  const bindings = settings.slice(0, sizes.length);
  const members: Setting[] = [];
  for (const { name: path, nameAt, nameLength, ...rest } of ofRecipe) {
    const name = path.replace(/^recipe\s*\.?\s*/, '');
    const start = nameAt + path.length - name.length;
    const one: Setting = { ...rest, name, nameAt: start, nameLength: name.length };
    const help = recipe && refusal(name, recipe.name.name);
    const span = { file: settingsFile, start: nameAt, end: nameAt + nameLength };
    if (help !== undefined) refused.push({ name, span, help });
    else if (name === 'batch') bindings.push({ ...one, name: 'B' });
    else members.push({ ...one, value: quoted(name, one.value) });
  }
  if (recipe && bindings.length + members.length > 0) {
    writer.write(`recipe ${recipe.name.name} extends ${recipe.name.name}`);
    for (const [i, one] of bindings.entries()) {
      writer.write(i === 0 ? ' at ' : ', ');
      writer.assignment(one);
    }
    writer.write(' {\n');
    for (const one of members) writer.setting(one);
    writer.write('}\n');
  }
  return { text: writer.text, typed: lines.join('\n'), stretches: writer.stretches, refused };
}

/** Maps a span of the text to the typed text; a position in generated text maps to the whole setting. */
export function asTyped({ stretches, typed }: SettingsSource, { file, start, end }: Span): Span {
  const place = (at: number, otherwise: number) => {
    const found = stretches.find(({ from, to }) => from <= at && at <= to);
    if (!found) return otherwise;
    return found.typed + (at === found.to ? found.length : Math.min(at - found.from, found.length));
  };
  return { file, start: place(start, 0), end: place(end, typed.length) };
}

function takenApart(line: string, typed: number): Setting {
  const at = line.indexOf('=');
  const name = line.slice(0, at).trim();
  const value = line.slice(at + 1);
  const valueAt = typed + at + 1 + value.length - value.trimStart().length;
  return { name, nameAt: typed, nameLength: name.length, value: value.trim(), valueAt };
}

/** Quotes a name from a table, which may be typed without quotes since it is unambiguous. */
function quoted(name: string, value: string): string {
  const kind = Object.hasOwn(recipeSettings, name) ? recipeSettings[name] : undefined;
  return typeof kind === 'object' && 'oneOf' in kind && /^[\w.@-]+$/.test(value) ? `"${value}"` : value;
}

/** Members of a recipe other than settings. */
const notSettings = new Set(['input', 'let', 'term', 'without', 'group', 'fix', 'eval', 'train', 'init', 'start']);

/**
 * Returns why `--set recipe.name=…` is impossible; undefined if it is possible, or if the check of the recipe
 * reports it.
 */
function refusal(name: string, recipe: string): string | undefined {
  const [, first = '', rest = ''] = /^(\w*)\s*\.?\s*([\s\S]*)$/.exec(name) ?? [];
  const settable = `behind \`recipe.\`, --set takes ${['batch', ...Object.keys(recipeSettings)].join(', ')}`;
  if (notSettings.has(first)) return `write it into a recipe that extends ${recipe}; ${settable}`;
  if (rest === '' && first !== '') return undefined;
  if (Object.hasOwn(recipeSettings, rest)) return `did you mean \`recipe.${rest}\`?`;
  if (Object.hasOwn(recipeSettings, first)) return `set it as a whole: recipe.${first}=…`;
  return settable;
}

/** Builds the text and records which ranges were typed. */
class Writer {
  text = '';
  readonly stretches: Stretch[] = [];

  write(text: string): void {
    this.text += text;
  }

  setting(one: Setting): void {
    this.write('  ');
    this.assignment(one);
    this.write('\n');
  }

  assignment({ name, nameAt, nameLength, value, valueAt }: Setting): void {
    this.#typed(name, nameAt, nameLength);
    this.write(' = ');
    this.#typed(value, valueAt, value.length);
  }

  #typed(text: string, typed: number, length: number): void {
    const from = this.text.length;
    this.write(text);
    this.stretches.push({ from, to: this.text.length, typed, length });
  }
}
