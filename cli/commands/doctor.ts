import { table } from '../table.ts';

/** What runs here; 0 when the CPU path works, which is all that is needed. */
export async function doctor(options: { readonly json?: boolean }): Promise<number> {
  const { examine } = await import('../../runtime/doctor.ts');
  const report = await examine();
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    process.stdout.write(`${table(['', '', '', ''], [], ['left', 'left', 'left', 'left'])}\n`);
  }
  return 0;
}
