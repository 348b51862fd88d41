import type { Diagnostic } from '../diagnostics/diagnostic.ts';
import type { Context } from '../elaborate/context/context.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import type { FileScope } from '../elaborate/source/file-scope.ts';
import { Program, type SourceHost } from '../elaborate/source/program.ts';
import { checkFiles, type FileCheck } from './check-files.ts';
import { diagnosticsOf } from './diagnostics-of.ts';

/** The diagnostics of a check, and the models that have no errors. */
export interface CheckResult {
  readonly program: Program;
  readonly checks: readonly FileCheck[];
  readonly diagnostics: readonly Diagnostic[];
  readonly models: ReadonlyMap<string, ModelGraph>;
  /** The context that elaborated the models, for further questions about them. */
  readonly context: Context;
  /** Requested files that do not exist. */
  readonly missing: readonly string[];
}

/** Checks every declaration of the given files. Imported declarations are checked where these files use them. */
export function check(host: SourceHost, files: readonly string[]): CheckResult {
  const program = new Program(host);
  const { scopes, missing } = loaded(program, files);
  const { checks, context } = checkFiles(program, scopes);
  const models = new Map(checks.flatMap((one) => [...one.models]));
  return { program, checks, diagnostics: diagnosticsOf(checks), models, context, missing };
}

/** Loads files into a program; some may not exist. */
export function loaded(
  program: Program,
  files: readonly string[],
): { readonly scopes: readonly FileScope[]; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const scopes = files.flatMap((file) => {
    const scope = program.load(file);
    if (!scope) missing.push(file);
    return scope ?? [];
  });
  return { scopes, missing };
}
