import { type Diagnostic, isError } from '../compiler/diagnostics/diagnostic.ts';
import type { Program } from '../compiler/elaborate/source/program.ts';
import { type CompiledFile, compileFrom, requireModel } from '../runtime/build/source-model.ts';
import { diskHost } from '../runtime/files/source-host.ts';
import { UsageError } from '../runtime/files/usage-error.ts';
import { whileAt } from '../runtime/process/stage.ts';
import type { Io } from './io.ts';
import { plural, printDiagnostics } from './messages.ts';
import { complain, printRendered } from './print.ts';
import { readSettings } from './settings.ts';

/** Compiles a model; prints the errors and returns undefined if there are any. */
export function compileFile(
  io: Io,
  path: string,
  model: string | undefined,
  set: readonly string[] | undefined,
  { recipeDims = [], via }: { readonly recipeDims?: readonly string[]; readonly via?: string | undefined } = {},
): CompiledFile | undefined {
  const settings = readSettings(set);
  const compiled = whileAt(`compiling ${path}`, () =>
    compileFrom(diskHost(), path, { model, ...settings, recipeDims, via }),
  );
  return isPrintedRight(io, compiled) ? requireModel(compiled, { model, via }) : undefined;
}

/** Prints the diagnostics; returns whether there are no errors. */
export function isPrintedRight(
  io: Io,
  { diagnostics, program }: { readonly diagnostics: readonly Diagnostic[]; readonly program: Program },
): boolean {
  printRendered(
    io,
    printDiagnostics(diagnostics, (path) => program.files.get(path)?.tree.text, io),
  );
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) complain(io, `${plural(errors, 'error')}`);
  return errors === 0;
}

/** Returns the weights map of `--via`. Throws a UsageError unless `--weights` names the file that it is for. */
export function viaOf({
  weights,
  via,
}: {
  readonly weights?: string | false;
  readonly via?: string;
}): string | undefined {
  if (via !== undefined && typeof weights !== 'string')
    throw new UsageError('--via is for the file of --weights: give that too');
  return via;
}
