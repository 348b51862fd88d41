import { nearest } from '../../../grammar/nearest.ts';
import type { Span } from '../../../grammar/span.ts';
import type { RecipeDecl } from '../../../grammar/tree.ts';
import { diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Context } from '../context/context.ts';
import { fileScope } from '../context/scope.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { isWritten, takenApart } from '../models/flat-model.ts';
import { dropUnusedWholes } from '../models/flatten.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { RecipeAt } from '../source/recipe-chain.ts';
import { intervals, optimizerArguments, recipeSettings } from '../source/recipe-tables.ts';
import { readSetting, type SettingValue, type Sourced } from './recipe-settings.ts';
import type { Equations } from './recipe-terms.ts';

/** Evaluates the sizes of a chain of recipes. `refused` are the dims whose value is not a size. */
export function evaluateBindings(
  context: Context,
  chain: readonly RecipeAt[],
): { bindings: Map<string, Sourced<number>>; refused: Set<string> } {
  const bindings = new Map<string, Sourced<number>>();
  const refused = new Set<string>();
  for (const { decl, file } of chain) {
    const here = new Map<string, Span>();
    for (const { name, value } of decl.bindings) {
      once(context, decl, here, name.name, name.span);
      const got = evaluate(fileScope(context, file), value);
      const n = asInt(got);
      if (n !== undefined && n >= 1) {
        bindings.set(name.name, { value: n, span: name.span });
        continue;
      }
      refused.add(name.name);
      if (got.kind !== 'error')
        fail({ context }, 'CROB2321', value.span, { name: name.name, expected: 'an int of at least 1' });
    }
  }
  return { bindings, refused };
}

/** Reports a name that a recipe sets twice: the order of lines has no meaning, so no line could take precedence. */
export function once(context: Context, decl: RecipeDecl, here: Map<string, Span>, name: string, span: Span): void {
  const earlier = here.get(name);
  here.set(name, span);
  if (!earlier) return;
  const notes = [{ span: earlier, text: 'first given here' }];
  context.report(diagnostic('CROB2302', span, { path: name, model: decl.name.name }, { notes }));
}

/** Merges the settings of a recipe over the inherited ones. */
export function evaluateSettings(
  context: Context,
  { decl, file }: RecipeAt,
  into: Map<string, Sourced<SettingValue>>,
  outdated: Map<string, Sourced<SettingValue>>,
): void {
  const here = new Map<string, Span>();
  const own = new Map<string, Sourced<SettingValue>>();
  for (const member of decl.members) {
    if (member.kind !== 'setting') continue;
    const { name } = member.name;
    once(context, decl, here, name === 'steps' ? 'epochs' : name, member.name.span);
    const value = readSetting(context, member, file);
    if (value) own.set(name, { value, span: member.span });
  }
  if (own.has('optimizer')) for (const name of optimizerArguments) into.delete(name);
  const before = own.has('steps') ? 'epochs' : own.has('epochs') ? 'steps' : undefined;
  if (before !== undefined && into.delete(before)) {
    for (const name of intervals) {
      const counted = into.get(name);
      if (counted) outdated.set(name, counted);
      into.delete(name);
    }
  }
  for (const [name, setting] of own) {
    outdated.delete(name);
    into.set(name, scaled(setting, into.get(name)));
  }
}

/** Applies a factor, as in `lr = 0.1x`, to an inherited number or factor. */
function scaled(setting: Sourced<SettingValue>, under: Sourced<SettingValue> | undefined): Sourced<SettingValue> {
  const { value, span } = setting;
  if (value.kind !== 'number' || !value.factor || under?.value.kind !== 'number') return setting;
  return { value: { ...under.value, value: under.value.value * value.value }, span };
}

/** `Equations` under construction. */
type EquationsOf = {
  readonly [K in keyof Equations]: Map<string, Equations[K] extends ReadonlyMap<string, infer V> ? V : never>;
};

export function mergeEquations(context: Context, chain: readonly RecipeAt[]): Equations {
  const inputs: EquationsOf['inputs'] = new Map();
  const lets: EquationsOf['lets'] = new Map();
  const terms: EquationsOf['terms'] = new Map();
  const removed: EquationsOf['removed'] = new Map();
  for (const { decl, file } of chain) {
    const here = new Map<string, Span>();
    const first = (name: string, span: Span, key = name) => once(context, decl, here, key, span);
    // The order of lines has no meaning, so removals are applied first.
    for (const member of decl.members) {
      if (member.kind !== 'without') continue;
      const { name, span } = member.name;
      if (here.has(name)) {
        first(name, span);
        continue;
      }
      const holders: readonly Map<string, unknown>[] = [terms, lets, inputs].filter((held) => held.has(name));
      if (holders.length === 0) {
        const help = didYouMean(name, [...terms.keys(), ...[...lets.keys()].filter(isWritten), ...inputs.keys()]);
        fail({ context }, 'CROB2306', span, { name, model: decl.name.name }, { help });
        continue;
      }
      // Removing a name that the same recipe defines again would have no effect, so it is reported.
      first(name, span);
      first(name, span, `term ${name}`);
      for (const held of holders) held.delete(name);
      removed.set(name, span);
    }
    for (const member of decl.members) {
      switch (member.kind) {
        case 'input':
          first(member.name.name, member.name.span);
          inputs.set(member.name.name, { decl: member, file });
          break;
        case 'model-let':
          first(member.name.name, member.name.span);
          lets.set(member.name.name, { decl: member, file });
          break;
        case 'model-let-items':
          for (const [position, { name }] of member.names.entries()) {
            first(name.name, name.span);
            for (const equation of takenApart(member, position)) lets.set(equation.name.name, { decl: equation, file });
          }
          break;
        case 'term':
          first(member.name.name, member.name.span, `term ${member.name.name}`);
          terms.set(member.name.name, { decl: member, file });
          break;
      }
    }
  }
  dropUnusedWholes({ lets });
  return { inputs, lets, terms, removed };
}

export function checkComplete(context: Context, chain: readonly RecipeAt[], { terms }: Equations): void {
  const names = chain.flatMap(({ decl }) => decl.members.flatMap((m) => (m.kind === 'setting' ? [m.name.name] : [])));
  // A misspelt setting counts as given, since it has been reported.
  const has = (name: string) =>
    names.some(
      (given) => given === name || (!recipeSettings[given] && nearest(given, Object.keys(recipeSettings)) === name),
    );
  const lacking =
    terms.size === 0
      ? 'term'
      : !has('optimizer')
        ? 'optimizer'
        : !has('epochs') && !has('steps')
          ? 'epochs or steps'
          : undefined;
  const { name } = chain.at(-1)!.decl;
  if (lacking) fail({ context }, 'CROB2323', name.span, { name: name.name, missing: lacking });
}
