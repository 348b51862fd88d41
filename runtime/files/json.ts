/** A type guard for a value parsed from JSON. */
export type Check<T> = (value: unknown) => value is T;

export const isText: Check<string> = (value) => typeof value === 'string';
export const isFlag: Check<boolean> = (value) => typeof value === 'boolean';
/** A finite number: JSON allows 1e999, which is read as infinity. */
export const isNumber: Check<number> = (value): value is number => typeof value === 'number' && Number.isFinite(value);
/** A non-negative integer up to 2^53 - 1. */
export const isCount: Check<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function orNull<T>(check: Check<T>): Check<T | null> {
  return (value) => value === null || check(value);
}

/** One of the given texts. */
export function oneOf<T extends string>(texts: readonly T[]): Check<T> {
  return (value): value is T => texts.some((text) => text === value);
}

export function listOf<T>(check: Check<T>): Check<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(check);
}

export function recordOf<T>(check: Check<T>): Check<Readonly<Record<string, T>>> {
  return (value): value is Readonly<Record<string, T>> => isObject(value) && Object.values(value).every(check);
}

/** The member types of an object, from the guards of its members. */
type Members<C> = { readonly [K in keyof C]: C[K] extends Check<infer T> ? T : never };

/** An object that has at least these members. */
export function objectOf<C extends Readonly<Record<string, Check<unknown>>>>(checks: C): Check<Members<C>> {
  return (value): value is Members<C> =>
    isObject(value) &&
    Object.entries(checks).every(([name, check]) => Object.hasOwn(value, name) && check(value[name]));
}

/**
 * Whether a value has at most `levels` levels, as all JSON that crobc writes. Deeper
 * JSON could overflow the stack when written.
 */
export function isShallow(value: unknown, levels = 32): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((member) => isShallow(member, levels - 1));
}
