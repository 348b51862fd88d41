import { check as checkSources } from '../../compiler/compile.ts';
import { isError } from '../../compiler/diagnostics/diagnostic.ts';
import { type GuardCondition, guardCondition } from '../../compiler/ir/guard-condition.ts';
import { diskHost } from '../../runtime/source-host.ts';
import { UserError } from '../../runtime/user-error.ts';
import { crobFiles } from '../files.ts';
import { plural, printDiagnostics } from '../messages.ts';

export interface CheckOptions {
  readonly reporter: 'pretty' | 'json';
  readonly guards?: boolean;
}

/** 0 when everything is right, warnings or not, and 1 when it is not. Nothing is printed on standard output unless asked for. */
export function check(files: readonly string[], options: CheckOptions): number {
  const found = crobFiles(files);
  const result = checkSources(diskHost(), found);
  if (result.missing.length > 0) throw new UserError(`cannot read ${result.missing.join(', ')}`);
  const texts = (file: string) => result.program.files.get(file)?.tree.text;
  if (options.reporter === 'json') process.stdout.write(printDiagnostics(result.diagnostics, texts, 'json'));
  else process.stderr.write(printDiagnostics(result.diagnostics, texts, 'pretty'));
  const errors = result.diagnostics.filter(isError).length;
  if (errors > 0) {
    if (options.reporter === 'pretty')
      process.stderr.write(`${plural(errors, 'error')} in ${plural(found.length, 'file')}\n`);
    return 1;
  }
  if (options.guards) {
    for (const [name, model] of result.models) {
      process.stdout.write(`${name}\n`);
      if (model.guards.length === 0) process.stdout.write('  no conditions on the inputs\n');
      for (const guard of model.guards) process.stdout.write(`  ${shown(guardCondition(guard, model.facts))}\n`);
    }
  }
  return 0;
}

/** In numbers, and as the source has it where that differs: `T <= 512  (T <= text.positions)`. */
function shown({ condition, source }: GuardCondition): string {
  const plain = (clause: string) => clause.replace(/[\s()]/g, '');
  return plain(condition) === plain(source) ? condition : `${condition}  (${source})`;
}
