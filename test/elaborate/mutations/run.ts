import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, Worker } from 'node:worker_threads';
import type { Verdict } from './trial.ts';
import { type Progress, type Report, work } from './work.ts';

async function run(): Promise<void> {
  const { values } = parseArgs({
    options: {
      count: { type: 'string', default: '1000' },
      seed: { type: 'string', default: '1' },
      minutes: { type: 'string', default: '600' },
      'no-runs': { type: 'boolean', default: false },
      out: { type: 'string' },
    },
  });
  const first = Number(values.seed) * 1_000_000;
  const until = Date.now() + 60_000 * Number(values.minutes);
  const reports: Report[] = [];
  const hung: number[] = [];
  let next = first;
  while (next < first + Number(values.count) && Date.now() < until) {
    const stopped = await batch(
      { from: next, to: first + Number(values.count), runs: !values['no-runs'] },
      reports,
      until,
    );
    if (stopped.hangs) hung.push(stopped.seed);
    next = stopped.seed + 1;
  }
  if (values.out !== undefined) writeFileSync(values.out, JSON.stringify(reports, null, 1));
  print(reports, hung);
}

/** Longer than any trial takes on a machine that has other things to do. */
const patience = 60_000;

function batch(
  work: { readonly from: number; readonly to: number; readonly runs: boolean },
  reports: Report[],
  until: number,
): Promise<{ readonly seed: number; readonly hangs: boolean }> {
  return new Promise((done) => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: work, resourceLimits: { stackSizeMb: 4 } });
    let at = work.from;
    const stop = (hangs: boolean) => {
      clearTimeout(timer);
      void worker.terminate();
      done({ seed: at, hangs });
    };
    let timer = setTimeout(stop, patience, true);
    worker.on('message', ({ seed, report }: Progress) => {
      at = seed;
      if (report) reports.push(report);
      clearTimeout(timer);
      timer = setTimeout(stop, patience, true);
      if (seed >= work.to || Date.now() > until) stop(false);
    });
    worker.on('error', () => stop(true));
  });
}

const refusals: readonly Verdict[] = ['at the line', 'at a use', 'in a note', 'in its chain', 'elsewhere'];
const shown: readonly Verdict[] = ['crash', 'elsewhere', 'in its chain', 'the same graph'];

function print(reports: readonly Report[], hung: readonly number[]): void {
  const of = (verdict: Verdict) => reports.filter((one) => one.verdict === verdict);
  const count = (verdict: Verdict) => of(verdict).length;
  for (const verdict of shown) {
    for (const { seed, file, mutation, said, milliseconds } of of(verdict)) {
      const { line, kind, within, before, after } = mutation;
      // What a recipe says changes no graph, and an example is none.
      if (verdict === 'the same graph' && /^(recipe|example|weights)/.test(within)) continue;
      console.log(`\n${verdict}: seed ${seed}, ${file}:${line}, ${kind}, in ${within}, ${Math.round(milliseconds)} ms`);
      console.log(`- ${before.trim()}\n+ ${after.trim()}${said && `\n${said}`}`);
    }
  }
  const refused = refusals.reduce((sum, verdict) => sum + count(verdict), 0);
  const share = (n: number) => `${n} (${((100 * n) / Math.max(1, refused)).toFixed(1)} %)`;
  const slowest = Math.max(0, ...reports.map(({ milliseconds }) => milliseconds));
  console.log(`\n${reports.length} mutations, ${refused} refused:`);
  for (const verdict of refusals) console.log(`  ${verdict.padEnd(14)} ${share(count(verdict))}`);
  console.log(`accepted: ${count('another graph')} with another graph, ${count('the same graph')} with the same`);
  console.log(
    `crashes: ${count('crash')}; without an end: ${hung.join(', ') || 'none'}; slowest ${Math.round(slowest)} ms`,
  );
  process.exitCode = count('crash') + hung.length > 0 ? 1 : 0;
}

/**
 * `npm run mutations -- --count N --seed S`: changes one thing in a shipped source, N times, and counts where the message is. The
 * trials run in a thread of their own, so that one that does not end is known and left behind.
 */
if (isMainThread) await run();
else await work();
