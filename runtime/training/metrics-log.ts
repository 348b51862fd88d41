import { type FileHandle, open } from 'node:fs/promises';
import { fileError } from '../file-error.ts';

/** One line of metrics.jsonl; numbers that are not finite become null. */
export type MetricsLine = Readonly<Record<string, unknown>> & { readonly step: number };

/** metrics.jsonl: one object a line, appended. */
export interface MetricsLog {
  readonly path: string;
  append(line: MetricsLine): Promise<void>;
  /** Everything appended is on disk when this returns. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a log to go on after `step`: lines of later steps, which a checkpoint has not seen, and a last line that was cut
 * off are dropped, so that the file becomes what an unbroken run writes. Throws a UserError where it cannot be written.
 */
export async function openMetricsLog(path: string, step: number): Promise<MetricsLog> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'a+');
    const text = await handle.readFile('utf8');
    const keep = Buffer.byteLength(text.slice(0, lengthUpTo(text, step)));
    if (keep < Buffer.byteLength(text)) await handle.truncate(keep);
  } catch (error) {
    throw fileError('write', path, error);
  }
  const guarded = async (work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      throw fileError('write', path, error);
    }
  };
  return {
    path,
    append: (line) => guarded(() => handle.appendFile(`${JSON.stringify(line)}\n`)),
    sync: () => guarded(() => handle.sync()),
    close: () => handle.close(),
  };
}

/** Characters of the whole lines up to and with `step`. */
function lengthUpTo(text: string, step: number): number {
  let at = 0;
  for (;;) {
    const end = text.indexOf('\n', at);
    if (end < 0) return at;
    const found = stepOf(text.slice(at, end));
    if (found === undefined || found > step) return at;
    at = end + 1;
  }
}

function stepOf(line: string): number | undefined {
  try {
    const { step } = JSON.parse(line) as Partial<MetricsLine>;
    return typeof step === 'number' ? step : undefined;
  } catch {
    return undefined;
  }
}
