import { createHash } from 'node:crypto';
import { type CheckResult, check as checkSources } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { messages as catalogue } from '../../compiler/diagnostics/messages.ts';
import { renderGithub } from '../../compiler/diagnostics/render-github.ts';
import { type JsonDiagnostic, jsonProblem, toJson } from '../../compiler/diagnostics/render-json.ts';
import { renderJunit } from '../../compiler/diagnostics/render-junit.ts';
import { toSarif } from '../../compiler/diagnostics/render-sarif.ts';
import type { SourceText } from '../../compiler/diagnostics/render-terminal.ts';
import { type GuardCondition, guardCondition } from '../../compiler/ir/guard-condition.ts';
import type { FoundFiles } from '../../runtime/files/crob-files.ts';
import { packageVersion } from '../../runtime/files/package-root.ts';
import { cannotRead, diskHost, isShipped } from '../../runtime/files/source-host.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { foundFiles } from '../found-files.ts';
import type { Io } from '../io.ts';
import { bounded, moreLine, plural, printDiagnostics } from '../messages.ts';
import { complain, printFindings, printJson, printLine, printText } from '../print.ts';
import type { Reporter } from '../reporters.ts';

export interface CheckOptions {
  readonly reporter: Reporter;
  readonly guards?: boolean;
}

interface Checked extends CheckResult, FoundFiles {}

/**
 * `crobc check`. Returns 1 if there are errors, else 0, also with warnings and notes. The messages are the command's
 * result and so go to standard output; without messages, nothing is printed.
 */
export async function check(io: Io, paths: readonly string[], options: CheckOptions): Promise<number> {
  if (options.reporter !== 'pretty') return report(io, paths, options, options.reporter);
  const checked = await checkFiles(paths);
  const { diagnostics, files, unusable } = checked;
  for (const line of unusable.values()) complain(io, `crobc: ${line}`);
  printFindings(io, printDiagnostics(diagnostics, textsOf(checked), io, io.stdout));
  const errors = diagnostics.filter(isError).length;
  if (errors > 0) printLine(io, `${plural(errors, 'error')} in ${plural(files.length, 'file')}`);
  if (options.guards) {
    for (const { name, guards } of guardsOf(checked)) {
      printLine(io, `${name}`);
      if (guards.length === 0) printLine(io, '  no conditions on the inputs');
      for (const guard of guards) printLine(io, `  ${shown(guard)}`);
    }
  }
  return errors + unusable.size > 0 ? 1 : 0;
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
  let checked: Checked;
  try {
    checked = await checkFiles(paths);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    print({ files: [], messages: [jsonProblem(paths[0] ?? '.', message)], models: [], source: () => undefined });
    throw error;
  }
  const { diagnostics, unusable } = checked;
  const problems = [...unusable].map(([path, line]) => jsonProblem(path, line));
  // All messages of a damaged file could exceed the maximum length of a string.
  const { shown, more } = bounded(diagnostics, mostInDocument);
  const rest = more.map((one) => jsonProblem(one.file, `and ${moreLine(one)}`));
  const source = textsOf(checked);
  const messages = [...problems, ...shown.map((d) => toJson(d, source)), ...rest];
  print({ files: checked.files, messages, models: guardsOf(checked), source });
  return problems.length > 0 || diagnostics.some(isError) ? 1 : 0;
}

/** Checks all readable files; an unreadable file is reported and does not stop the others. */
async function checkFiles(paths: readonly string[]): Promise<Checked> {
  const { files, unusable } = await foundFiles(paths);
  const result = checkSources(diskHost(), files);
  const unread = result.missing.map((path) => [path, cannotRead(path)] as const);
  return { ...result, files, unusable: new Map([...unusable, ...unread]) };
}

function textsOf({ program }: CheckResult) {
  return (file: string) => program.files.get(file)?.tree.text;
}

/** Returns the guards of the models without errors. */
function guardsOf({ models }: CheckResult) {
  return [...models].map(([name, { flat, guards, facts }]) => ({
    name,
    file: flat.file.file,
    guards: guards.map((guard) => guardCondition(guard, facts)),
  }));
}

/**
 * A condition with known sizes as numbers and, if different, as the source has it: `T <= 512  (T <= text.positions)`.
 */
function shown({ condition, source }: GuardCondition): string {
  const plain = (clause: string) => clause.replace(/[\s()]/g, '');
  return plain(condition) === plain(source) ? condition : `${condition}  (${source})`;
}
