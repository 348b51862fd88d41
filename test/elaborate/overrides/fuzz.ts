import { parseArgs } from 'node:util';
import { holdBadPaths } from './bad-paths.ts';
import { allBases, bench, cornerBases, smallBases } from './bases.ts';
import { type Finding, holdChains, noTally } from './hold.ts';
import { pathText } from './places.ts';
import { shrunk } from './shrink.ts';

/** `npm run fuzz:overrides -- --seed S --minutes N`: what the test draws, with as many seeds as there is time for. */
const { values } = parseArgs({
  options: { seed: { type: 'string', default: '1' }, minutes: { type: 'string', default: '5' } },
});
const first = Number(values.seed);
const until = Date.now() + 60_000 * Number(values.minutes);
const tally = noTally();
const groups = new Map<string, { count: number; smallest: Finding }>();
let seed = first;
for (; Date.now() < until; seed++) {
  const every = { seed, chains: 3 };
  const found = [
    ...holdChains(cornerBases, { seed, chains: 40 }, tally, bench),
    ...holdChains(smallBases, { seed, chains: 20 }, tally, bench),
    ...(seed % 4 === first % 4 ? holdChains(allBases, every, tally, bench) : []),
    ...holdBadPaths(cornerBases, { seed, count: 30 }, tally, bench),
    ...holdBadPaths(smallBases, { seed, count: 30 }, tally, bench),
  ];
  for (const finding of found) {
    const key = `${finding.kind}${readings(finding)}`;
    const group = groups.get(key);
    if (group) group.count++;
    else groups.set(key, { count: 1, smallest: finding });
  }
}

/** What kinds of right sides are in it. */
function readings({ chain }: Finding): string {
  const kinds = chain?.lines.flatMap(({ steps, right }) =>
    right.reads.map((from) => {
      if (pathText(from) === pathText(steps)) return 'its own path';
      return from[0] === steps[0] ? 'its own part' : 'elsewhere';
    }),
  );
  return kinds && kinds.length > 0 ? ` (reads ${[...new Set(kinds)].sort().join(', ')})` : '';
}

console.log(`seeds ${first} to ${seed - 1}: ${JSON.stringify(tally)}`);
for (const [kind, { count, smallest }] of [...groups].sort()) {
  const { source, detail } = shrunk(smallest, bench);
  console.log(`\n${count} times: ${kind}\n${source}${detail}`);
}
process.exitCode = groups.size > 0 ? 1 : 0;
