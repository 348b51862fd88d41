import { join } from 'node:path';
import { writeStart } from '../../runtime/files/start-folder.ts';
import type { Io } from '../io.ts';
import { printLine } from '../print.ts';

export async function init(io: Io, folder: string): Promise<number> {
  for (const path of await writeStart(folder)) printLine(io, path);
  printLine(
    io,
    `${join(folder, 'README.md')} has the commands to check, train and try ${join(folder, 'variant.crob')}`,
  );
  return 0;
}
