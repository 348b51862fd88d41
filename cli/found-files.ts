import { existsSync } from 'node:fs';
import { crobFiles, type FoundFiles, skipped } from '../runtime/files/crob-files.ts';

/**
 * Returns the .crob files that arguments name: files, folders, and patterns such as `models/*.crob`. An argument that is
 * the name of a file is no pattern.
 */
export async function foundFiles(given: readonly string[]): Promise<FoundFiles> {
  const isPattern = (path: string) => /[*?[{]/.test(path) && !existsSync(path);
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
