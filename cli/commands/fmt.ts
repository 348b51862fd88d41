import { fromSyntax } from '../../compiler/diagnostics/from-syntax.ts';
import { format } from '../../grammar/format.ts';
import { parse } from '../../grammar/parse.ts';
import { rewriteFile } from '../../runtime/files/rewrite-file.ts';
import { readSource } from '../../runtime/files/source-host.ts';
import { foundFiles } from '../found-files.ts';
import type { Io } from '../io.ts';
import { plural, printDiagnostics } from '../messages.ts';
import { complain, printLine, printRendered } from '../print.ts';

/** Formats files in place; a file with syntax errors is left unchanged. */
export async function fmt(io: Io, paths: readonly string[], options: { readonly check?: boolean }): Promise<number> {
  const { files, unusable } = await foundFiles(paths);
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
      printRendered(
        io,
        printDiagnostics(faults.map(fromSyntax), () => text, io),
      );
      continue;
    }
    const formatted = format(tree);
    if (formatted === text) continue;
    changed++;
    if (options.check) printLine(io, `${file} is not formatted`);
    else {
      await rewriteFile(file, formatted);
      printLine(io, `${file}`);
    }
  }
  for (const line of lines) complain(io, `crobc: ${line}`);
  if (broken + lines.length > 0) return 1;
  if (options.check && changed > 0) {
    complain(io, `${plural(changed, 'file')} to format: crobc fmt`);
    return 1;
  }
  return 0;
}
