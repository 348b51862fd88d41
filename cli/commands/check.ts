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
 * 0 when everything is right, with warnings and notes or without, and 1 when it is not. The messages are what the command
 * gives, and so they go to standard output; nothing is printed where there are none.
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

/** Messages of one code in one file. */
const mostInJson = 1000;

/** One JSON document on standard output, whatever happens: a tool reads it and nothing else. */
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
  // A document of all that a damaged file can give would be larger than a text can be.
  const { shown, more } = bounded(diagnostics, mostInJson);
  const rest = more.map((one) => jsonProblem(one.file, `and ${moreLine(one)}`));
  print([...problems, ...shown.map((d) => toJson(d, textsOf(checked))), ...rest], guardsOf(checked));
  return problems.length > 0 || diagnostics.some(isError) ? 1 : 0;
}

/** What cannot be read keeps nothing else from being checked. */
function checkFiles(paths: readonly string[]): Checked {
  const { files, unusable } = crobFiles(paths);
  const result = checkSources(diskHost(), files);
  const unread = result.missing.map((path) => [path, cannotRead(path)] as const);
  return { ...result, files, unusable: new Map([...unusable, ...unread]) };
}

function textsOf({ program }: CheckResult) {
  return (file: string) => program.files.get(file)?.tree.text;
}

/** Of the models that are right. */
function guardsOf({ models }: CheckResult) {
  return [...models].map(([name, { flat, guards, facts }]) => ({
    name,
    file: flat.file.file,
    guards: guards.map((guard) => guardCondition(guard, facts)),
  }));
}

/** In numbers, and as the source has it where that differs: `T <= 512  (T <= text.positions)`. */
function shown({ condition, source }: GuardCondition): string {
  const plain = (clause: string) => clause.replace(/[\s()]/g, '');
  return plain(condition) === plain(source) ? condition : `${condition}  (${source})`;
}
