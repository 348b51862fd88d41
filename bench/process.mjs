import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { root } from '../scripts/program.mjs';

export { program as crobc, root } from '../scripts/program.mjs';

/** Runs a program and returns its seconds and its output. Throws with its messages if it fails. */
export function timed(program, args, env = {}) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn(program, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [printed, messages] = [[], []];
    child.stdout.on('data', (chunk) => printed.push(chunk));
    child.stderr.on('data', (chunk) => messages.push(chunk));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      const seconds = (performance.now() - start) / 1000;
      if (code === 0) resolve({ seconds, printed: Buffer.concat(printed).toString() });
      else
        reject(new Error(`${program} ${args.join(' ')}: ${signal ?? `exit code ${code}`}\n${Buffer.concat(messages)}`));
    });
  });
}

/** Runs a Node program; also returns the peak memory of the process in bytes. */
export async function timedNode(args, { scratch, env = {} }) {
  const file = join(scratch, 'usage.json');
  const recorder = fileURLToPath(new URL('record-usage.mjs', import.meta.url));
  const run = await timed(process.execPath, ['--import', recorder, ...args], { ...env, CROBC_BENCH_USAGE: file });
  return { ...run, peakBytes: JSON.parse(readFileSync(file, 'utf8')).maxRSS * 1024 };
}

/** Starts a program that prints a line of JSON when it is ready, and answers every line of input with another. */
export async function started(program, args, env = {}) {
  const child = spawn(program, args, { cwd: root, env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const messages = [];
  child.stderr.on('data', (chunk) => messages.push(chunk));
  const closed = new Promise((resolve) => child.on('close', resolve));
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done) throw new Error(`${program} ${args.join(' ')} ended\n${Buffer.concat(messages)}`);
      if (value.startsWith('{')) return JSON.parse(value);
    }
  };
  const ready = await answer();
  return {
    ready,
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    async end() {
      child.stdin.end();
      await closed;
    },
  };
}

export function statistics(samples) {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1), runs: samples.length };
}
