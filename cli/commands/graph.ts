import { extname } from 'node:path';
import { loadFonts } from '../../runtime/drawing/fonts.ts';
import { pictureFormat, writePicture } from '../../runtime/drawing/write-picture.ts';
import { writeFileAtomic } from '../../runtime/files/atomic-file.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { architecture } from '../../runtime/pictures/architecture.ts';
import { architecturePage } from '../../runtime/pictures/architecture-page.ts';
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

/** `crobc graph`: draws a model as a picture, or as a page that folds. */
export async function graph(io: Io, file: string, { model, set, depth, out }: GraphOptions): Promise<number> {
  if (depth === 0) throw new UsageError('--depth 0 shows nothing: 1 shows the parts of the model');
  const isPage = out !== undefined && extname(out).toLowerCase() === '.html';
  if (out !== undefined && !isPage && pictureFormat(out) === undefined)
    throw new UsageError(`--out ${out}: the name ends in .svg, .pdf or .png for a picture, and in .html for a page`);
  const compiled = compileFile(io, file, model, set);
  if (!compiled) return 1;
  const path = out ?? `${compiled.graph.name}.svg`;
  const fonts = await loadFonts();
  if (isPage) await writeFileAtomic(path, architecturePage(compiled, depth ?? 4, fonts));
  else await writePicture(path, architecture(dataFlow(compiled, depth ?? 2), fonts));
  printLine(io, path);
  return 0;
}
