import { longestAxis } from '../compiler/ir/extent.ts';
import { UsageError } from '../runtime/files/usage-error.ts';

/** The parsed values of `--set`: sizes of dims, and overrides, whose right sides are crob expressions. */
export interface Settings {
  readonly dims: ReadonlyMap<string, number>;
  readonly overrides: readonly string[];
}

/** Parses `--set`. A name with a capital first letter is a dim (`H=480`); all else is an override (`mid.layers=3`). */
export function readSettings(given: readonly string[] | undefined): Settings {
  const dims = new Map<string, number>();
  const overrides: string[] = [];
  for (const text of given ?? []) {
    const at = text.indexOf('=');
    if (at <= 0) throw new UsageError(`--set ${text}: write name=value`);
    const name = text.slice(0, at).trim();
    const value = text.slice(at + 1).trim();
    if (value === '' || /^recipe\.?$/.test(name)) throw new UsageError(`--set ${text}: write name=value`);
    if (!/^[A-Z]\w*$/.test(name)) {
      overrides.push(text);
      continue;
    }
    const n = Number(value);
    if (!Number.isInteger(n) || n < 1 || n > longestAxis)
      throw new UsageError(`--set ${text}: a dim is a whole number from 1 to ${longestAxis}`);
    const held = dims.get(name);
    if (held !== undefined) throw new UsageError(`--set ${text}: ${name} is ${held} already`);
    dims.set(name, n);
  }
  return { dims, overrides };
}
