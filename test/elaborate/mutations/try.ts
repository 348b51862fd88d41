import { trial } from './trial.ts';

const from = Number(process.argv[2]),
  n = Number(process.argv[3]);
const t = performance.now();
const counts = new Map<string, number>();
const list: string[] = [];
let slow = 0;
for (let s = from; s < from + n; s++) {
  const r = trial(s);
  if (!r) continue;
  counts.set(r.verdict, (counts.get(r.verdict) ?? 0) + 1);
  if (r.milliseconds > 2000) slow++;
  if (r.verdict !== 'at the line' && r.verdict !== 'another graph')
    list.push(
      `----- ${r.verdict} seed ${r.seed} ${r.file}:${r.mutation.line} ${r.mutation.kind} ${r.milliseconds.toFixed(0)} ms\n- ${r.mutation.before.trim()}\n+ ${r.mutation.after.trim()}\n${r.said}`,
    );
}
console.log(counts, slow, (performance.now() - t).toFixed(0));
list.sort();
console.log(list.join('\n'));
