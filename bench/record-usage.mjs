// Loaded before a measured program: when it ends, writes what the process used to the file that was asked for.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  writeFileSync(process.env.CROBC_BENCH_USAGE, JSON.stringify({ maxRSS: process.resourceUsage().maxRSS }));
});
