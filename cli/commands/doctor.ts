import { wantsColour } from '../../runtime/process/terminal.ts';
import type { Invocation } from '../io.ts';
import { printJson, printLine, printMarked } from '../print.ts';

/**
 * `crobc doctor`: reports what works on this machine; returns 0 if the CPU path works, which is all that crobc needs.
 */
export async function doctor(io: Invocation, options: { readonly json?: boolean }): Promise<number> {
  const { examine } = await import('../../runtime/doctor.ts');
  const { works, findings } = await examine(io.cwd);
  if (options.json) {
    printJson(io, { works, findings });
    return works ? 0 : 1;
  }
  const paint = wantsColour(io.stdout, io.environment);
  const mark = {
    works: paint ? '\u001b[32mworks \u001b[39m' : 'works ',
    absent: 'absent',
    broken: paint ? '\u001b[31mbroken\u001b[39m' : 'broken',
  };
  const wide = Math.max(...findings.map((f) => f.name.length));
  for (const { name, state, detail, advice } of findings) {
    printMarked(io, mark[state], `  ${name.padEnd(wide)}  ${detail}`);
    if (advice) printLine(io, `${' '.repeat(10 + wide)}${advice}`);
  }
  return works ? 0 : 1;
}
