import { type ChildProcess, fork } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Counts, Failure } from './compare/checks.ts';
import { drawProgram } from './draw/program.ts';
import { printProgram } from './program/print.ts';
import { shrunk } from './program/shrink.ts';
import type { Program } from './program/tree.ts';
import { type Found, findPyTorch, PyTorch } from './pytorch/python.ts';
import { type Message, smallest, type Task, tried, work } from './worker.ts';

const help = `
A program is drawn from its number alone. It is well-typed by construction, so check must accept it; what it means is computed by
an evaluator in this folder that shares no code with the compiler. Compared with that are the interpreter, the passes, onnxruntime with
and without the passes, in the form for CUDA and in half precision, and TensorFlow.js, at four sizes, of which the first has every dim at 1.

A comparison allows what rounding makes of the program at hand: it is computed again with every result off by a unit. Where rounding
could turn over a decision (two nearly equal numbers are compared), results are not compared, and counted as unclear.

Where python3, or the Python that CROBC_PYTHON names, has PyTorch, each graph is also computed by its operators in float64, and the
gradients of each loss by torch.autograd. The result says whether it was. It takes no part in npm test.

Examples:
  npm run fuzz -- --minutes 60 --jobs 2      fresh programs for an hour
  npm run fuzz -- --seed 1 --count 1000      always the same thousand
  npm run fuzz -- --program 1000042          one program: its source and what is wrong with it
  npm run fuzz -- --program 1000042 --shrink the same, made smaller
  CROBC_PYTHON=venv/bin/python npm run fuzz -- --pytorch on --minutes 10
`;

interface Options {
  readonly seed: number;
  readonly count: number | undefined;
  readonly minutes: number | undefined;
  readonly jobs: number;
  readonly program: number | undefined;
  readonly shrink: boolean;
  readonly keep: string | undefined;
  readonly stop: boolean;
  readonly json: boolean;
  readonly pytorch: 'auto' | 'on' | 'off';
}

interface Finding {
  readonly kind: string;
  readonly seed: number;
  readonly detail: string;
  times: number;
  source: string | undefined;
}

const number = (text: string): number => {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('It must be a number above 0.');
  return value;
};

const command = new Command('npm run fuzz --')
  .description('Draws programs and compares everything that runs them.')
  .option('--seed <n>', 'the run: the same programs for the same number (default: from the clock)', number)
  .option('--count <n>', 'how many programs (default: as many as there is time for)', number)
  .option('--minutes <n>', 'how long (default: 5, or until --count programs were tried)', number)
  .option('--jobs <n>', 'processes at a time', number, 2)
  .option('--program <n>', 'try one program, by its number', number)
  .option('--shrink', 'with --program: make it smaller as long as it fails the same way', false)
  .option('--keep <file>', 'with --shrink: write the program as JSON, for the corpus')
  .option('--stop', 'end at the first finding', false)
  .addOption(
    new Option('--pytorch <when>', 'compare with PyTorch: auto is where there is one, and on ends without it')
      .choices(['auto', 'on', 'off'])
      .default('auto'),
  )
  .option('--json', 'print the result as JSON', false)
  .addHelpText('after', help);

/** No program takes as long on a machine that has other things to do. */
const patience = 120_000;
const batch = 20;
/** Processes that wait for a task. */
const idle: ChildProcess[] = [];
/** What `--pytorch` came to. */
type Compared = Found | { readonly off: true };
const switchedOff: Compared = { off: true };

if (process.send && process.argv[2] === '--worker') {
  // The harness decides when a worker ends.
  process.on('SIGINT', () => {});
  process.on('disconnect', () => process.exit());
  const pytorch = process.argv[3] ? new PyTorch(process.argv[3]) : undefined;
  process.on('message', (task: Task) => void work(task, (message) => process.send?.(message), pytorch));
} else {
  command.parse(process.argv);
  const { seed, ...options } = command.opts<Omit<Options, 'seed'> & { readonly seed?: number }>();
  const pytorch = options.pytorch === 'off' ? switchedOff : await findPyTorch();
  if (options.pytorch === 'on' && 'absent' in pytorch) command.error(`error: ${pytorch.absent}`);
  process.exitCode = await main({ ...options, seed: seed ?? Date.now() % 4000 }, pytorch);
}

async function main(options: Options, pytorch: Compared): Promise<number> {
  const python = 'python' in pytorch ? pytorch.python : undefined;
  if (options.program !== undefined) return one(options.program, options, python);
  const start = Date.now();
  const until = start + 60_000 * (options.minutes ?? (options.count === undefined ? 5 : 600));
  const counts: Counts = {};
  const findings = new Map<string, Finding>();
  let tried = 0;
  let next = 0;
  const found = (seed: number, { kind, detail }: Failure): void => {
    const known = findings.get(kind);
    if (known) known.times++;
    else findings.set(kind, { kind, seed, detail, times: 1, source: undefined });
  };
  const tell = progress(options, start, until);
  let stopped = false;
  // What was found until then is reported; a second signal ends the process.
  process.once('SIGINT', () => {
    stopped = true;
  });
  const take = (): readonly number[] => {
    const many = Math.min(batch, (options.count ?? Number.POSITIVE_INFINITY) - next);
    if (many <= 0 || stopped || Date.now() > until || (options.stop && findings.size > 0)) return [];
    next += many;
    return Array.from({ length: many }, (_, i) => options.seed * 1_000_000 + next - many + i);
  };
  const lane = async (): Promise<void> => {
    for (let seeds = take(); seeds.length > 0; ) {
      const ended = await ask({ kind: 'try', seeds }, python, (message) => {
        if (message.kind !== 'tried') return;
        tried++;
        for (const [name, n] of Object.entries(message.trial.counts)) counts[name] = (counts[name] ?? 0) + n;
        if (message.trial.failure) found(message.seed, message.trial.failure);
        tell(tried, findings.size);
      });
      if (ended.how !== 'done') {
        tried++;
        found(ended.seed, { kind: ended.how, detail: ended.detail });
      }
      const rest = ended.how === 'done' ? [] : seeds.slice(seeds.indexOf(ended.seed) + 1);
      seeds = rest.length > 0 ? rest : take();
    }
  };
  await Promise.all(Array.from({ length: options.jobs }, lane));
  for (const child of idle.splice(0)) child.kill();
  const seconds = (Date.now() - start) / 1000;
  for (const finding of options.stop ? [] : findings.values())
    finding.source = await shrunkApart(finding.seed, finding.kind, 60_000, python);
  for (const child of idle.splice(0)) child.kill();
  report(options, { tried, seconds, counts, findings: [...findings.values()], pytorch });
  return findings.size > 0 ? 1 : 0;
}

async function one(seed: number, { shrink, keep }: Options, python: string | undefined): Promise<number> {
  const pytorch = python === undefined ? undefined : new PyTorch(python);
  try {
    return await tryOne(seed, { shrink, keep }, pytorch);
  } finally {
    pytorch?.end();
  }
}

async function tryOne(
  seed: number,
  { shrink, keep }: Pick<Options, 'shrink' | 'keep'>,
  pytorch: PyTorch | undefined,
): Promise<number> {
  console.log(printProgram(drawProgram(seed)));
  const { failure, counts } = await tried(seed, pytorch);
  console.log(failure ? `${failure.kind}: ${failure.detail}` : counts);
  if (failure && shrink) {
    const { program, source, failure: last } = await smallest(seed, failure.kind, 120_000, pytorch);
    if (keep !== undefined) writeFileSync(keep, `${JSON.stringify({ note: last?.kind, seed, program })}\n`);
    console.log(`\n${source}\n${last?.kind}: ${last?.detail}`);
  }
  return failure ? 1 : 0;
}

/** The source of the smallest program that fails in this way; one that ends its process is tried in one of its own. */
async function shrunkApart(
  seed: number,
  kind: string,
  milliseconds: number,
  python: string | undefined,
): Promise<string | undefined> {
  if (kind === 'hangs') return printProgram(drawProgram(seed));
  if (kind !== 'the process ends') {
    let source: string | undefined;
    await ask({ kind: 'shrink', seed, failure: kind, milliseconds }, python, (message) => {
      if (message.kind === 'shrunk') source = message.source;
    });
    return source;
  }
  const ends = async (program: Program) =>
    (await ask({ kind: 'program', program, seed }, python, () => {})).how === kind;
  return printProgram(await shrunk(drawProgram(seed), ends, Date.now() + 3 * milliseconds));
}

interface Ended {
  readonly how: 'done' | 'the process ends' | 'hangs';
  readonly seed: number;
  /** By what signal or exit code a process ended; otherwise empty. */
  readonly detail: string;
}

/** Has a process do a task; one that ends or is silent for too long is a finding with the seed that it was at. */
function ask(task: Task, python: string | undefined, onMessage: (message: Message) => void): Promise<Ended> {
  const child =
    idle.pop() ??
    fork(process.argv[1] ?? '', ['--worker', python ?? ''], {
      silent: false,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  return new Promise((resolve) => {
    let seed = 0;
    const end = (how: Ended['how'], detail = ''): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      if (how === 'done') idle.push(child);
      else child.kill('SIGKILL');
      resolve({ how, seed, detail });
    };
    let timer = setTimeout(end, patience, 'hangs' as const);
    child.on('message', (message: Message) => {
      clearTimeout(timer);
      timer = setTimeout(end, patience, 'hangs' as const);
      if (message.kind === 'begins') seed = message.seed;
      onMessage(message);
      if (message.kind === 'done') end('done');
    });
    child.on('exit', (code, signal) => end('the process ends', signal ?? `exit code ${code}`));
    child.send(task);
  });
}

function progress({ count, json }: Options, start: number, until: number): (tried: number, kinds: number) => void {
  let last = 0;
  return (tried, kinds) => {
    const now = Date.now();
    if (json || now - last < (process.stderr.isTTY ? 1000 : 30_000)) return;
    last = now;
    const perMs = tried / (now - start);
    const left = Math.min(until - now, count === undefined ? Number.POSITIVE_INFINITY : (count - tried) / perMs);
    const text = `${tried} programs, ${(1000 * perMs).toFixed(1)} a second, ${kinds} kinds of findings, ${duration(left)} left`;
    process.stderr.write(process.stderr.isTTY ? `\r${text}  ` : `${text}\n`);
  };
}

function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  return seconds < 100 ? `${seconds} s` : `${Math.round(seconds / 60)} min`;
}

interface Result {
  readonly tried: number;
  readonly seconds: number;
  readonly counts: Counts;
  readonly findings: readonly Finding[];
  readonly pytorch: Compared;
}

function report({ seed, json }: Options, result: Result): void {
  if (json) {
    console.log(JSON.stringify({ seed, ...result }, null, 2));
    return;
  }
  const { tried, seconds, counts, findings, pytorch } = result;
  console.log(`\nseed ${seed}: ${tried} programs in ${duration(1000 * seconds)}`);
  console.log(saidOf(pytorch));
  for (const [name, n] of Object.entries(counts).sort(([a], [b]) => (a < b ? -1 : 1)))
    console.log(`${String(n).padStart(9)}  ${name}`);
  for (const { kind, seed: at, times, detail, source } of findings)
    console.log(`\n${times} times: ${kind}, first in --program ${at}\n${detail}\n${source ?? ''}`);
}

function saidOf(pytorch: Compared): string {
  if ('off' in pytorch) return 'not compared with PyTorch: --pytorch off';
  return 'absent' in pytorch
    ? `not compared with PyTorch: ${pytorch.absent} (CROBC_PYTHON names another Python)`
    : `compared with PyTorch ${pytorch.version} (${pytorch.python})`;
}
