import { wantsColour } from '../../runtime/process/terminal.ts';
import { printJson, printLine, printMarked } from '../print.ts';

/** What runs here; 0 when the CPU path works, which is all that is needed. */
export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const { examine } = await import('../../runtime/doctor.ts');
  const { works, findings } = await examine();
  if (options.json) {
    printJson({ works, findings });
    return works ? 0 : 1;
  }
  const paint = wantsColour(process.stdout);
  const mark = {
    works: paint ? '\u001b[32mworks \u001b[39m' : 'works ',
    absent: 'absent',
    broken: paint ? '\u001b[31mbroken\u001b[39m' : 'broken',
  };
  const wide = Math.max(...findings.map((f) => f.name.length));
  for (const { name, state, detail, advice } of findings) {
    printMarked(mark[state], `  ${name.padEnd(wide)}  ${detail}`);
    if (advice) printLine(`${' '.repeat(10 + wide)}${advice}`);
  }
  return works ? 0 : 1;
}
