import { showType } from '../../compiler/elaborate/report/report.ts';
import { position } from '../../grammar/span.ts';
import { selectedValues } from '../../runtime/build/exposed-values.ts';
import { sourceName } from '../../runtime/files/source-name.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { givenModel } from '../given-model.ts';
import type { Io } from '../io.ts';
import { printJson, printText } from '../print.ts';
import { table } from '../table.ts';
import { forFiles } from './build-look.ts';
import type { BuildOptions } from './build-options.ts';

/** The value of `--expose` that lists instead of building. */
const list = 'list';

/** Whether `crobc build --expose list` lists the values that can be exposed. */
export function isValueList({ expose }: BuildOptions): boolean {
  return expose?.includes(list) ?? false;
}

/** `crobc build --expose list`: prints the named values, or those that further patterns select. Writes no files. */
export async function listValues(
  io: Io,
  file: string,
  options: BuildOptions,
  given: ReadonlySet<string>,
): Promise<number> {
  const unused = forFiles.find((name) => given.has(name));
  if (unused) throw new UsageError(`--${unused} is for what is built, and --expose list writes nothing`);
  const chosen = await givenModel(io, file, options);
  if (!chosen) return 1;
  const { compiled } = chosen;
  const patterns = (options.expose ?? []).filter((pattern) => pattern !== list);
  const values = selectedValues(compiled, patterns.length > 0 ? patterns : ['*']);
  const placeOf = (span: (typeof values)[number]['span']) => {
    const text = compiled.program.files.get(span.file)?.tree.text;
    const line = text === undefined ? '' : `:${position(text, span.start).line}`;
    return `${sourceName(span.file, compiled.file)}${line}`;
  };
  const rows = values.map(({ path, type, span }) => ({
    path,
    type: showType(type, compiled.graph.facts),
    place: placeOf(span),
  }));
  if (options.json) printJson(io, { model: compiled.graph.name, values: rows });
  else {
    const cells = rows.map(({ path, type, place }) => [path, type, place]);
    printText(
      io,
      `${table(['value', 'type', 'named at'], cells, ['left', 'left', 'left'], terminalWidth(io.stdout))}\n`,
    );
  }
  return 0;
}
