import { fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startProgress } from '../../runtime/process/progress.ts';
import { memoryOf } from './reader.ts';
import { type ReaderName, readerNames, readers } from './readers/index.ts';
import { changedFile, trial } from './trial.ts';
import { megabytes, type Tally, watch } from './watch.ts';
import { type Fault, type Share, temporaryFolder, work } from './work.ts';

const help = `npm run fuzz:files -- [options]

Changes small valid files of every kind that crobc reads, and reads them as the commands do. Each must end in a value or in
one line that names the file. Whatever else happens is a fault: another error, a message that does not help, a process that
ends, that has too much memory, or that does not go on.

  --count N       files in all, shared among the readers (default 20000)
  --seed S        the number of the first file of each reader (default 1); each number is a file, the same on every machine
  --only READER   one reader (several: repeat it): ${readerNames.join(', ')}
  --jobs J        processes at a time (default: one for each core)
  --patience S    seconds that one file may take (default 30)
  --help          this

A fault is printed with the command that makes it again. That reads one file, in the process itself, and prints what comes of it:

  npm run fuzz:files -- --only READER --seed NUMBER --count 1

Exit code: 0 without a fault, 1 with one, 2 where the options are wrong.
`;

/** Files of a reader that one process reads: it begins anew in between, so that its memory tells something. */
const largestShare = 10_000;

interface Options {
  readonly count: number;
  readonly seed: number;
  readonly only: readonly ReaderName[];
  readonly jobs: number;
  readonly patience: number;
}

/** The options; in words what is wrong with them. */
function optionsOf(): Options | 'help' | string {
  let values: Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;
  try {
    ({ values } = parseArgs({
      options: {
        count: { type: 'string', default: '20000' },
        seed: { type: 'string', default: '1' },
        only: { type: 'string', multiple: true },
        jobs: { type: 'string', default: String(availableParallelism()) },
        patience: { type: 'string', default: '30' },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  if (values.help) return 'help';
  const numbers = { count: 0, seed: 0, jobs: 0, patience: 0 };
  for (const name of ['count', 'seed', 'jobs', 'patience'] as const) {
    const number = Number(values[name]);
    if (!Number.isSafeInteger(number) || number < (name === 'seed' ? 0 : 1))
      return `--${name} ${values[name]}: a whole number is wanted`;
    numbers[name] = number;
  }
  const only: ReaderName[] = [];
  for (const given of [values.only ?? []].flat()) {
    const found = readerNames.find((name) => name === given);
    if (found === undefined) return `--only ${given}: the readers are ${readerNames.join(', ')}`;
    only.push(found);
  }
  return { ...numbers, only: only.length > 0 ? only : readerNames };
}

async function run(): Promise<number> {
  const options = optionsOf();
  if (options === 'help') {
    console.log(help);
    return 0;
  }
  if (typeof options === 'string') {
    console.error(`error: ${options} (--help explains the options)`);
    return 2;
  }
  const { count, seed, only } = options;
  return count === 1 && only.length === 1 ? await again(only[0]!, seed) : await all(options);
}

/** Reads one file, and prints what comes of it. */
async function again(reader: ReaderName, number: number): Promise<number> {
  const folder = temporaryFolder();
  try {
    const opened = await readers[reader].open(folder);
    const bytes = changedFile(opened, number);
    console.log(`${bytes.length} bytes: ${JSON.stringify(bytes.subarray(0, 2000).toString('latin1'))}`);
    const outcome = await trial(opened, number);
    console.log(`${outcome.kind}${outcome.kind === 'accepted' ? '' : `: ${outcome.message}`}`);
    return outcome.kind === 'fault' ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function all({ count, seed, only, jobs, patience }: Options): Promise<number> {
  const each = Math.ceil(count / only.length);
  const shares: Share[] = only.flatMap((reader) =>
    Array.from({ length: Math.ceil(each / largestShare) }, (_, i) => ({
      reader,
      from: seed + i * largestShare,
      to: seed + Math.min(each, (i + 1) * largestShare),
    })),
  );
  const started = performance.now();
  const progress = startProgress('files', each * only.length);
  const tallies = await watch(shares, {
    jobs,
    patience: patience * 1000,
    start: (share, place) =>
      fork(fileURLToPath(import.meta.url), [JSON.stringify(share), place], {
        env: { ...process.env, [forShare]: '1' },
        execArgv: ['--max-old-space-size=1024'],
        stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
      }),
    memory: (reader) => memoryOf(readers[reader as ReaderName]),
    progress: (done) => progress.update(done),
  });
  progress.finish();
  return print(tallies, (performance.now() - started) / 1000);
}

/** Set where this program does one share. */
const forShare = 'CROBC_FUZZ_SHARE';

function print(tallies: ReadonlyMap<string, Tally>, seconds: number): number {
  const heads = ['reader', 'files', 'accepted', 'refused', 'faults', 'a second', 'memory', 'longest'];
  const rows = [...tallies].map(([name, { files, accepted, refused, faults, seconds, memory, longest }]) => [
    name,
    ...[files, accepted, refused, faults.length, Math.round(files / seconds)].map((n) => n.toLocaleString('en')),
    `${megabytes(memory)} MB`,
    `${Math.round(longest)} ms`,
  ]);
  const widths = heads.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i]!.length)));
  for (const row of [heads, ...rows])
    console.log(row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  '));
  const faults = [...tallies].flatMap(([reader, tally]) => tally.faults.map((fault) => ({ reader, ...fault })));
  const files = [...tallies.values()].reduce((n, one) => n + one.files, 0);
  const [all, speed] = [files, Math.round(files / seconds)].map((n) => n.toLocaleString('en'));
  console.log(`\n${all} files in ${Math.round(seconds)} s, ${speed} a second; faults: ${faults.length}`);
  for (const [message, numbers] of grouped(faults)) console.log(`\n${numbers}\n${message}`);
  return faults.length > 0 ? 1 : 0;
}

/** Faults that differ in numbers alone are one, shown with the command that makes the first. */
function grouped(faults: readonly (Fault & { readonly reader: string })[]): [message: string, how: string][] {
  const groups = new Map<string, (typeof faults)[number][]>();
  for (const fault of faults) {
    // The beginning, and where it was thrown.
    const [said = '', thrown = ''] = fault.message.split('\n');
    const key = `${fault.reader} ${said.slice(0, 30)} ${thrown}`.replaceAll(/\d+|"[^"]*"/g, '#');
    groups.set(key, [...(groups.get(key) ?? []), fault]);
  }
  return [...groups.values()].map((group) => {
    const [{ reader, number, message }] = group as [(typeof faults)[number]];
    return [message.slice(0, 1500), `${group.length} times: --only ${reader} --seed ${number} --count 1`];
  });
}

if (process.env[forShare] === undefined) process.exitCode = await run();
else {
  const [share = '', place = ''] = process.argv.slice(2);
  const given = JSON.parse(share) as Share;
  await work(given, readers[given.reader as ReaderName], {
    place,
    report: (fault) => process.send?.(fault),
  });
  process.disconnect();
}
