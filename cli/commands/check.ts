import { type CheckResult, check as checkSources } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { jsonProblem, toJson } from '../../compiler/diagnostics/render-json.ts';
import { type GuardCondition, guardCondition } from '../../compiler/ir/guard-condition.ts';
import { crobFiles, type FoundFiles } from '../../runtime/files/crob-files.ts';
import { cannotRead, diskHost } from '../../runtime/files/source-host.ts';
import type { Io } from '../io.ts';
import { bounded, moreLine, plural, printDiagnostics } from '../messages.ts';
import { complain, printFindings, printJson, printLine } from '../print.ts';

export interface CheckOptions {
  readonly reporter: 'pretty' | 'json';
  readonly guards?: boolean;
}

interface Checked extends CheckResult, FoundFiles {}

/**
 * `crobc check`. Returns 1 if there are errors, else 0, also with warnings and notes. The messages are the command's
 * result and so go to standard output; without messages, nothing is printed.
 */
export function check(io: Io, paths: readonly string[], options: CheckOptions): number {
  if (options.reporter === 'json') return report(io, paths, options);
  const checked = checkFiles(paths);
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

/** Maximum number of messages of one code in one file in JSON. */
const mostInJson = 1000;

/** Prints one JSON document on standard output in every case, because tools parse all of standard output. */
function report(io: Io, paths: readonly string[], { guards = false }: CheckOptions): number {
  const print = (messages: readonly ReturnType<typeof toJson>[], models: ReturnType<typeof guardsOf>) => {
    const document = guards ? { messages, models } : messages;
    printJson(io, document);
  };
  let checked: Checked;
  try {
    checked = checkFiles(paths);
  } catch (error) {
    print([jsonProblem(paths[0] ?? '.', error instanceof Error ? error.message : String(error))], []);
    throw error;
  }
  const { diagnostics, unusable } = checked;
  const problems = [...unusable].map(([path, line]) => jsonProblem(path, line));
  // All messages of a damaged file could exceed the maximum length of a string.
  const { shown, more } = bounded(diagnostics, mostInJson);
  const rest = more.map((one) => jsonProblem(one.file, `and ${moreLine(one)}`));
  print([...problems, ...shown.map((d) => toJson(d, textsOf(checked))), ...rest], guardsOf(checked));
  return problems.length > 0 || diagnostics.some(isError) ? 1 : 0;
}

/** Checks all readable files; an unreadable file is reported and does not stop the others. */
function checkFiles(paths: readonly string[]): Checked {
  const { files, unusable } = crobFiles(paths);
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
