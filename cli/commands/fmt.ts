import { fromSyntax } from '../../compiler/diagnostics/from-syntax.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import { rewriteFile } from '../../runtime/rewrite-file.ts';
import { readSource } from '../../runtime/source-host.ts';
import { crobFiles } from '../files.ts';
import { plural, printDiagnostics } from '../messages.ts';

/** Formats in place; a file that does not parse is left alone. */
export async function fmt(paths: readonly string[], options: { readonly check?: boolean }): Promise<number> {
  const { files, unusable } = crobFiles(paths);
  const lines = [...unusable.values()];
  let changed = 0;
  let broken = 0;
  for (const file of files) {
    const text = readSource(file);
    if (typeof text !== 'string') {
      lines.push(text.message);
      continue;
    }
    const { tree, faults } = parse(file, text);
    if (faults.length > 0) {
      broken++;
      process.stderr.write(printDiagnostics(faults.map(fromSyntax), () => text));
      continue;
    }
    const formatted = format(tree);
    if (formatted === text) continue;
    changed++;
    if (options.check) process.stdout.write(`${file} is not formatted\n`);
    else {
      await rewriteFile(file, formatted);
      process.stdout.write(`${file}\n`);
    }
  }
  for (const line of lines) process.stderr.write(`crobc: ${line}\n`);
  if (broken + lines.length > 0) return 1;
  if (options.check && changed > 0) {
    process.stderr.write(`${plural(changed, 'file')} to format: crobc fmt\n`);
    return 1;
  }
  return 0;
}
