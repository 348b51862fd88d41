import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadKoffi } from '../../runtime/ort/load-koffi.ts';

/** What the stand-in for CUDA's libraries counted. */
export interface Counts {
  /** Kernels that were launched, and kernels that were recorded into graphs, by mangled name. */
  readonly launched: ReadonlyMap<string, number>;
  readonly captured: ReadonlyMap<string, number>;
  readonly captures: number;
  readonly graphLaunches: number;
  /** How often the host waited for a stream, an event or the device. */
  readonly synchronisations: number;
  /** Captured copies from the host that found, at a launch, other bytes than when they were captured. */
  readonly staleReads: number;
  /** Copies that were not part of a graph: to the device, to the host, and on the device. */
  readonly copies: Readonly<Record<'up' | 'down' | 'within', { readonly times: number; readonly bytes: number }>>;
  /** Of these, the copies to the device from page-locked memory, and to such memory. */
  readonly pageLockedCopies: Readonly<Record<'up' | 'down', { readonly times: number; readonly bytes: number }>>;
  /** Bytes of page-locked memory that are allocated. */
  readonly pageLocked: number;
  /** Bytes of the device that are allocated, and the most that were. */
  readonly memory: number;
  readonly peak: number;
  /** Handles of cuBLAS that are open. */
  readonly blasHandles: number;
  /** How often cuBLAS was told to compute products in TF32. */
  readonly tf32Modes: number;
}

/** The sum of counts. */
export function total(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, n) => sum + n, 0);
}

/** Parses a report of the stand-in. */
export function countsIn(report: string): Counts {
  const rows = report
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t'));
  const found = (name: string): number[] => {
    const row = rows.find(([first]) => first === name);
    if (row === undefined) throw new Error(`the report has no ${name}`);
    return row.slice(1).map(Number);
  };
  const copies = (name: string) => {
    const [times, bytes] = found(name);
    return { times: times!, bytes: bytes! };
  };
  const kernels = (column: number) =>
    new Map(
      rows
        .filter(([first, ...rest]) => first === 'kernel' && Number(rest[column]) > 0)
        .map((row) => [row[3]!, Number(row[1 + column])] as const),
    );
  return {
    launched: kernels(0),
    captured: kernels(1),
    captures: found('captures')[0]!,
    graphLaunches: found('graph launches')[0]!,
    synchronisations: found('synchronisations')[0]!,
    staleReads: found('stale reads')[0]!,
    copies: { up: copies('copies to device'), down: copies('copies to host'), within: copies('copies on device') },
    pageLockedCopies: { up: copies('page-locked copies to device'), down: copies('page-locked copies to host') },
    pageLocked: found('page-locked')[0]!,
    memory: found('memory')[0]!,
    peak: found('peak')[0]!,
    blasHandles: found('cublas handles')[0]!,
    tf32Modes: found('tf32 modes')[0]!,
  };
}

let functions: { readonly reset: () => void; readonly report: (path: string) => void } | undefined;

function standIn(): NonNullable<typeof functions> {
  if (functions !== undefined) return functions;
  const koffi = loadKoffi();
  if ('missing' in koffi) throw new Error(koffi.missing);
  const library = koffi.load('libcudart.so.13');
  functions = {
    reset: library.func('void standin_reset()'),
    report: library.func('void standin_report(str)'),
  };
  return functions;
}

/** Counts what happens in this process during `action`. */
export async function counted(action: () => Promise<unknown>): Promise<Counts> {
  const { reset, report } = standIn();
  const folder = mkdtempSync(join(tmpdir(), 'crobc-counts-'));
  try {
    reset();
    await action();
    const path = join(folder, 'report');
    report(path);
    return countsIn(readFileSync(path, 'utf8'));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
