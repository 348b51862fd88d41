import { existsSync } from 'node:fs';
import { crobFiles, type FoundFiles, skipped } from '../runtime/files/crob-files.ts';

/** Whether an argument is a pattern such as `models/*.crob`; the name of a file is none. */
export function isPattern(path: string): boolean {
  return /[*?[{]/.test(path) && !existsSync(path);
}

/** Returns the .crob files that arguments name: files, folders, and patterns. */
export async function foundFiles(given: readonly string[]): Promise<FoundFiles> {
  const patterns = given.filter(isPattern);
  if (patterns.length === 0) return crobFiles(given);
  // Loaded only where there is a pattern, as most commands have none.
  const { globSync } = await import('tinyglobby');
  const ignore = [...skipped].map((name) => `**/${name}/**`);
  const matched = new Map(
    patterns.map((pattern) => {
      const files = globSync(pattern, { ignore, expandDirectories: false });
      return [pattern, files.filter((file) => file.endsWith('.crob'))] as const;
    }),
  );
  const named = [...given.filter((path) => !isPattern(path)), ...[...matched.values()].flat()];
  const found = named.length > 0 ? crobFiles(named) : { files: [], unusable: new Map<string, string>() };
  const without = patterns.filter((pattern) => matched.get(pattern)?.length === 0);
  const messages = without.map((pattern) => [pattern, `${pattern} matches no .crob file`] as const);
  return { files: found.files, unusable: new Map([...found.unusable, ...messages]) };
}

/** Returns the folder above the first part of a pattern that has a special character. */
export function folderOfPattern(pattern: string): string {
  const parts = pattern.split('/');
  const special = parts.findIndex((part) => /[*?[{]/.test(part));
  return parts.slice(0, special).join('/') || (pattern.startsWith('/') ? '/' : '.');
}
