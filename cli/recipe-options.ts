import { UsageError } from '../runtime/files/usage-error.ts';

/**
 * Options of `train` that set a setting of the recipe, with its name in `--set`. Settings of one kind exclude each
 * other.
 */
const recipeOptions = [
  { option: 'steps', flag: '--steps', setting: 'recipe.steps', kind: 'length', taught: false },
  { option: 'epochs', flag: '--epochs', setting: 'recipe.epochs', kind: 'length', taught: true },
  { option: 'seed', flag: '--seed', setting: 'recipe.seed', kind: 'seed', taught: false },
  { option: 'lr', flag: '--lr', setting: 'recipe.lr', kind: 'lr', taught: true },
  { option: 'precision', flag: '--precision', setting: 'recipe.precision', kind: 'precision', taught: false },
  { option: 'batchSize', flag: '--batch-size', setting: 'B', kind: 'batch', taught: true },
] as const;

/** Other names of the same settings in `--set`. */
const synonyms: Readonly<Record<string, string>> = { 'recipe.batch': 'B' };

export type RecipeOptions = Readonly<Partial<Record<(typeof recipeOptions)[number]['option'], string | number>>>;

export interface GivenSettings {
  /** All values of `--set`, followed by the options as settings. */
  readonly set: readonly string[];
  /** One line for each option that is an alias of a `--set`. */
  readonly notes: readonly string[];
  /** How the user typed a setting: `--steps 80` for `--set recipe.steps=80`. */
  typed(source: string): string;
}

/** Converts options to settings. Throws a UsageError if two options, or an option and a `--set`, set the same value. */
export function asSettings(options: RecipeOptions, set: readonly string[] = []): GivenSettings {
  const given = recipeOptions.flatMap((one) => {
    const value = options[one.option];
    return value === undefined
      ? []
      : [
          {
            ...one,
            typed: `${one.flag} ${value}`,
            assigned: `${one.setting}=${value}`,
          },
        ];
  });
  const byKind = new Map<string, string>();
  const claim = (kind: string, typed: string) => {
    const other = byKind.get(kind);
    if (other !== undefined) throw new UsageError(`${other} and ${typed} give the same: leave one of them out`);
    byKind.set(kind, typed);
  };
  for (const { kind, typed } of given) claim(kind, typed);
  for (const text of set) {
    const name = text.slice(0, Math.max(0, text.indexOf('='))).replace(/\s/g, '');
    const kind = recipeOptions.find(({ setting }) => setting === (synonyms[name] ?? name))?.kind;
    // Two values of `--set` for the same setting are reported where settings are read.
    if (kind !== undefined && byKind.has(kind)) claim(kind, `--set ${text}`);
  }
  return {
    set: [...set, ...given.map(({ assigned }) => assigned)],
    notes: given
      .filter(({ taught }) => taught)
      .map(({ typed, assigned }) => `${typed} is --set ${assigned}; --set takes every setting of a recipe`),
    typed: (source) => given.find(({ assigned }) => source === `--set ${assigned}`)?.typed ?? source,
  };
}
