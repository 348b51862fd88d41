import { spawn } from 'node:child_process';
import { main, type Ran } from './crobc.ts';

/** A server that runs as a process of its own. */
export interface Served {
  readonly url: string;
  /** The lines of its log until now, as `--json` prints them. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Sends a signal. */
  signal(name: 'SIGTERM' | 'SIGINT'): void;
  /** Its end. */
  readonly ended: Promise<Ran>;
}

/** Starts `crobc serve` with these arguments on a free port, and waits until it listens. */
export function serve(args: readonly string[], cwd: string): Promise<Served> {
  const line = ['serve', ...args, '--port', '0', '--json', '--device', 'cpu', '--threads', '1'];
  const child = spawn(process.execPath, [main, ...line], { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const log: Record<string, unknown>[] = [];
  let [out, err, rest] = ['', '', ''];
  return new Promise((resolve, reject) => {
    const ended = new Promise<Ran>((done) => {
      child.on('close', (code) => {
        done({ code: code ?? -1, out, err });
        reject(new Error(`it ended with ${code}: ${err}`));
      });
    });
    child.on('error', reject);
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      err += text;
    });
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const entry of lines.map((one) => JSON.parse(one))) {
        log.push(entry);
        if (entry.event === 'listening')
          resolve({ url: entry.url, log, ended, signal: (name) => void child.kill(name) });
      }
    });
  });
}
