import { isWithin } from '../../compiler/elaborate/context/paths.ts';
import type { ModelDifferences } from '../diff/differences.ts';

/** How a part of a model differs from the part at the same path of another. */
export type ChangeKind = 'removed' | 'added' | 'exchanged' | 'changed' | 'follows';

/**
 * Returns how a part differs, by its path in overrides, in which `[*]` stands for any item of a list; undefined if it is
 * the same. `side` is the model that has it.
 */
export function changeOf(found: ModelDifferences, side: 'before' | 'after', part: string): ChangeKind | undefined {
  const own = new RegExp(`^${pattern(part)}$`);
  const inside = new RegExp(`^${pattern(part)}([.[]|$)`);
  const { settings } = found[side];
  const other = found[side === 'before' ? 'after' : 'before'].settings;
  const paths = [...settings.keys()].filter((path) => inside.test(path));
  const isOne = paths.some((path) => own.test(path) && other.has(path) && other.get(path)?.kind !== 'absent');
  if (!isOne) return side === 'before' ? 'removed' : 'added';
  if (found.parts.some(({ path, exchanged }) => exchanged && (own.test(path) || isInItems(path, part))))
    return 'exchanged';
  const edited = new Set(found.methods.map(({ name }) => name.replace(/( members|\..*)$/, '')));
  const isEdited = paths.some((path) => {
    const setting = settings.get(path);
    return setting?.kind === 'part' && edited.has(setting.module);
  });
  const isSet = found.parameters.some(({ path, follows }) => !follows && inside.test(path));
  if (isEdited || isSet || found.parts.some(({ path }) => inside.test(path))) return 'changed';
  const files = paths.flatMap((path) => {
    const setting = settings.get(path);
    return setting?.kind === 'part' && own.test(path) ? [setting.weights] : [];
  });
  const isOther = found.modules.some(({ name, before, after }) => {
    const at = files.some((file) => isWithin(name, file));
    return at && (before?.outputs.join() !== after?.outputs.join() || before?.parameters !== after?.parameters);
  });
  return isOther || found.parameters.some(({ path }) => inside.test(path)) ? 'follows' : undefined;
}

/** Whether a part that was exchanged contains the part. */
function isInItems(exchanged: string, part: string): boolean {
  return part !== exchanged && new RegExp(`^${pattern(exchanged)}[.[]`).test(part);
}

function pattern(path: string): string {
  return path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('\\[\\*\\]', '\\[\\d+\\]');
}
