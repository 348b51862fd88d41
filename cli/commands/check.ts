import { createHash } from 'node:crypto';
import { diagnosticsOf } from '../../compiler/check/check.ts';
import type { FileCheck } from '../../compiler/check/check-files.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { messages as catalogue } from '../../compiler/diagnostics/messages.ts';
import { renderGithub } from '../../compiler/diagnostics/render-github.ts';
import { type JsonDiagnostic, jsonProblem, toJson } from '../../compiler/diagnostics/render-json.ts';
import { renderJunit } from '../../compiler/diagnostics/render-junit.ts';
import { toSarif } from '../../compiler/diagnostics/render-sarif.ts';
import type { SourceText } from '../../compiler/diagnostics/render-terminal.ts';
import { type GuardCondition, guardCondition } from '../../compiler/ir/guard-condition.ts';
import { packageVersion } from '../../runtime/files/package-root.ts';
import { isShipped } from '../../runtime/files/source-host.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { type CheckedFiles, checkOnce, textsOf } from '../checked-files.ts';
import { foundFiles } from '../found-files.ts';
import type { Invocation, Io } from '../io.ts';
import { bounded, moreLine, plural, printDiagnostics } from '../messages.ts';
import { complain, printFindings, printJson, printLine, printText } from '../print.ts';
import type { Reporter } from '../reporters.ts';

export interface CheckOptions {
  readonly reporter: Reporter;
  readonly guards?: boolean;
  /** Check again at every change, until a signal. */
  readonly watch?: boolean;
}

/**
 * `crobc check`. Returns 1 if there are errors, else 0, also with warnings and notes. The messages are the command's
 * result and so go to standard output; without messages, nothing is printed.
 */
export async function check(io: Invocation, paths: readonly string[], options: CheckOptions): Promise<number> {
  const { reporter, watch = false } = options;
  if (watch) {
    if (reporter !== 'pretty')
      throw new UsageError(`--watch prints for people: leave out --reporter ${reporter}, or --watch`);
    const { watchCheck } = await import('./check-watch.ts');
    return watchCheck(io, paths, (checked) => printChecked(io, checked, options));
  }
  if (reporter !== 'pretty') return report(io, paths, options, reporter);
  return printChecked(io, checkOnce(await foundFiles(paths)), options) > 0 ? 1 : 0;
}

/** Prints what a check found; returns the number of errors. */
function printChecked(io: Io, { checks, files, unusable }: CheckedFiles, { guards = false }: CheckOptions): number {
  const diagnostics = diagnosticsOf(checks);
  for (const line of unusable.values()) complain(io, `crobc: ${line}`);
  printFindings(io, printDiagnostics(diagnostics, textsOf(checks), io, io.stdout));
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) printLine(io, `${plural(errors, 'error')} in ${plural(files.length, 'file')}`);
  if (guards) {
    for (const { name, guards } of guardsOf(checks)) {
      printLine(io, `${name}`);
      if (guards.length === 0) printLine(io, '  no conditions on the inputs');
      for (const guard of guards) printLine(io, `  ${shown(guard)}`);
    }
  }
  return errors + unusable.size;
}

/** Maximum number of messages of one code in one file in documents. */
const mostInDocument = 1000;

/** What a check found, for a document. */
interface Found {
  readonly files: readonly string[];
  readonly messages: readonly JsonDiagnostic[];
  readonly models: ReturnType<typeof guardsOf>;
  readonly source: SourceText;
}

/** Prints a document for another program. */
const documents: Readonly<Record<Exclude<Reporter, 'pretty'>, (io: Io, found: Found, guards: boolean) => void>> = {
  json: (io, { messages, models }, guards) => printJson(io, guards ? { messages, models } : messages),
  github: (io, { messages }) => printText(io, renderGithub(messages, titleOf)),
  junit: (io, { files, messages }) => printText(io, renderJunit(files, messages)),
  sarif: (io, { messages, source }) =>
    printJson(io, toSarif(messages, { version: packageVersion(), source, isShipped, sha256 })),
};

function titleOf(code: string): string {
  return messageTitles.get(code) ?? code;
}

const messageTitles = new Map(Object.entries(catalogue).map(([code, { title }]) => [code, title]));

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Prints one document on standard output in every case, because programs parse all of standard output. */
async function report(
  io: Io,
  paths: readonly string[],
  { guards = false }: CheckOptions,
  reporter: Exclude<Reporter, 'pretty'>,
): Promise<number> {
  if (guards && reporter !== 'json')
    throw new UsageError(
      `--guards is for people and for --reporter json: --reporter ${reporter} has no place for conditions`,
    );
  const print = (found: Found) => documents[reporter](io, found, guards);
  let checked: CheckedFiles;
  try {
    checked = checkOnce(await foundFiles(paths));
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    print({ files: [], messages: [jsonProblem(paths[0] ?? '.', message)], models: [], source: () => undefined });
    throw error;
  }
  const { checks, unusable } = checked;
  const diagnostics = diagnosticsOf(checks);
  const problems = [...unusable].map(([path, line]) => jsonProblem(path, line));
  // All messages of a damaged file could exceed the maximum length of a string.
  const { shown, more } = bounded(diagnostics, mostInDocument);
  const rest = more.map((one) => jsonProblem(one.file, `and ${moreLine(one)}`));
  const source = textsOf(checks);
  const messages = [...problems, ...shown.map((d) => toJson(d, source)), ...rest];
  print({ files: checked.files, messages, models: guardsOf(checks), source });
  return problems.length > 0 || diagnostics.some(isError) ? 1 : 0;
}

/** Returns the guards of the models without errors. */
function guardsOf(checks: readonly FileCheck[]) {
  return checks.flatMap(({ file, models }) =>
    [...models].map(([name, { guards, facts }]) => ({
      name,
      file,
      guards: guards.map((guard) => guardCondition(guard, facts)),
    })),
  );
}

/**
 * A condition with known sizes as numbers and, if different, as the source has it: `T <= 512  (T <= text.positions)`.
 */
function shown({ condition, source }: GuardCondition): string {
  const plain = (clause: string) => clause.replace(/[\s()]/g, '');
  return plain(condition) === plain(source) ? condition : `${condition}  (${source})`;
}
