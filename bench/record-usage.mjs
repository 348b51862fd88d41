// Preloaded into a measured program: at exit, writes the resource usage of the process to the requested file.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  writeFileSync(process.env.CROBC_BENCH_USAGE, JSON.stringify({ maxRSS: process.resourceUsage().maxRSS }));
});
