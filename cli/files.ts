import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../runtime/user-error.ts';

const skipped = new Set(['node_modules', 'dist', '.git']);

/** The .crob files among files and folders; without any, those below the working folder. Sorted, each once. */
export function crobFiles(given: readonly string[]): string[] {
  const found = new Set<string>();
  const walk = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && !skipped.has(entry.name) && !entry.name.startsWith('.')) walk(path);
      else if (entry.isFile() && entry.name.endsWith('.crob')) found.add(path);
    }
  };
  for (const path of given.length > 0 ? given : ['.']) {
    let stat: ReturnType<typeof statSync>;
    try {
      stat = statSync(path);
    } catch {
      throw new UserError(`${path}: no such file or folder`);
    }
    if (stat.isDirectory()) walk(path);
    else found.add(path);
  }
  if (found.size === 0)
    throw new UserError(`no .crob files ${given.length > 0 ? `in ${given.join(', ')}` : 'below this folder'}`);
  return [...found].sort();
}
