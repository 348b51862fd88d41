import { extname } from 'node:path';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { architecturePage } from '../../runtime/pictures/architecture-page.ts';
import { architectureSvg } from '../../runtime/pictures/architecture-svg.ts';
import { dataFlow } from '../../runtime/pictures/data-flow.ts';
import { compileFile } from '../compile-file.ts';
import type { Io } from '../io.ts';
import { printLine } from '../print.ts';

export interface GraphOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly depth?: number;
  readonly out?: string;
}

/** `crobc graph`: draws a model as SVG, or as a page that folds. */
export async function graph(io: Io, file: string, { model, set, depth, out }: GraphOptions): Promise<number> {
  if (depth === 0) throw new UsageError('--depth 0 shows nothing: 1 shows the parts of the model');
  const kind = out === undefined ? '.svg' : extname(out).toLowerCase();
  if (kind !== '.svg' && kind !== '.html')
    throw new UsageError(`--out ${out}: the name of a picture ends in .svg or .html`);
  const compiled = compileFile(io, file, model, set);
  if (!compiled) return 1;
  const path = out ?? `${compiled.graph.name}.svg`;
  const text =
    kind === '.html' ? architecturePage(compiled, depth ?? 4) : architectureSvg(dataFlow(compiled, depth ?? 2));
  await writeFileAtomic(path, text);
  printLine(io, path);
  return 0;
}
