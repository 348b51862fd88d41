// Loads a server: npm run serve-load -- [--model models/trained/CroBIM_micro.safetensors] [--clients 1,4,16] [--seconds 10] [--max-batch 1]
//
// Starts `crobc serve` on the loopback interface, and for each number of clients asks it for masks for some seconds; every client waits for
// its answer before it asks again, on a connection that stays open. Prints requests per second and the median and the 99th percentile of the
// latency. At last, SIGTERM is sent while 16 clients ask: what the server says that it has answered must have come in full. Needs the built
// program.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import sharp from 'sharp';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values: given } = parseArgs({
  options: {
    model: { type: 'string', default: join(root, 'models', 'trained', 'CroBIM_micro.safetensors') },
    clients: { type: 'string', default: '1,4,16' },
    seconds: { type: 'string', default: '10' },
    'max-batch': { type: 'string', default: '1' },
    'max-delay': { type: 'string', default: '0' },
    threads: { type: 'string' },
  },
});
const seconds = Number(given.seconds);
const folder = mkdtempSync(join(tmpdir(), 'crobc-serve-'));

/** A server: its address, the statuses that it has logged, and its end. */
function started() {
  const program = join(root, 'dist', 'bin', 'crobc.cjs');
  const options = ['--max-batch', given['max-batch'], '--max-delay', given['max-delay'], '--out', folder];
  const threads = given.threads === undefined ? [] : ['--threads', given.threads];
  const child = spawn(
    process.execPath,
    [program, 'serve', given.model, '--port', '0', '--json', ...options, ...threads],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const statuses = new Map();
  let rest = '';
  return new Promise((resolve, reject) => {
    const ended = new Promise((done) => child.on('close', done));
    void ended.then((code) => reject(new Error(`the server ended with ${code}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const entry of lines.map((line) => JSON.parse(line))) {
        if (entry.event === 'listening') resolve({ ...entry, statuses, ended, kill: () => child.kill('SIGTERM') });
        if (entry.event === 'request') statuses.set(entry.status, (statuses.get(entry.status) ?? 0) + 1);
      }
    });
  });
}

const boundary = 'crobc-serve-load';

/** A form with a picture of 640 × 480 pixels and a phrase. */
async function form() {
  const [width, height] = [640, 480];
  const data = Uint8Array.from(
    { length: 3 * width * height },
    (_, i) => ((i >> 7) * 37 + (i % 3) * 50 + ((i * 7) >> 11)) & 255,
  );
  const picture = await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toBuffer();
  const part = (head, body) => [
    Buffer.from(`--${boundary}\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    body,
    Buffer.from('\r\n'),
  ];
  return Buffer.concat([
    ...part('name="image"; filename="a.jpg"', picture),
    ...part('name="text"', Buffer.from('the white ship on the left')),
    Buffer.from(`--${boundary}--\r\n`),
  ]);
}

/** Asks for a mask once; resolves with the status once the whole answer has come. */
function ask(url, agent, body) {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': `multipart/form-data; boundary=${boundary}`, 'content-length': body.length };
    const sent = request(`${url}/predict`, { method: 'POST', agent, headers }, (response) => {
      let bytes = 0;
      response.on('data', (part) => {
        bytes += part.length;
      });
      response.on('end', () => resolve({ status: response.statusCode, bytes }));
      response.on('error', reject);
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

/** Clients that ask until `goesOn` says no; calls `answered` with the milliseconds of each answer. */
async function load(url, clients, body, goesOn, answered) {
  await Promise.all(
    Array.from({ length: clients }, async () => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      while (goesOn()) {
        const from = performance.now();
        const { status } = await ask(url, agent, body);
        answered(status, performance.now() - from);
      }
      agent.destroy();
    }),
  );
}

const server = await started();
const body = await form();
console.log(
  `${server.model} on ${server.device}, ${cpus().length} cores, --max-batch ${given['max-batch']} --max-delay ${given['max-delay']}`,
);
await load(
  server.url,
  1,
  body,
  (
    (left) => () =>
      left-- > 0
  )(3),
  () => undefined,
);
for (const clients of given.clients.split(',').map(Number)) {
  const times = [];
  const [from, until] = [performance.now(), performance.now() + 1000 * seconds];
  await load(
    server.url,
    clients,
    body,
    () => performance.now() < until,
    (status, time) => {
      if (status !== 200) throw new Error(`an answer with ${status}`);
      times.push(time);
    },
  );
  const passed = (performance.now() - from) / 1000;
  times.sort((a, b) => a - b);
  const at = (share) => times[Math.min(times.length - 1, Math.floor(share * times.length))].toFixed(0);
  console.log(
    `${String(clients).padStart(3)} clients: ${(times.length / passed).toFixed(1)} requests/s, median ${at(0.5)} ms, 99 % within ${at(0.99)} ms (${times.length} requests)`,
  );
}

const before = server.statuses.get(200);
let [came, refused] = [0, 0];
let stopped = false;
const loading = load(
  server.url,
  16,
  body,
  () => !stopped,
  (status) => {
    if (status === 200) came++;
    else refused++;
  },
).catch(() => refused++);
setTimeout(() => {
  stopped = true;
  server.kill();
}, 2000);
const [code] = await Promise.all([server.ended, loading]);
const sent = server.statuses.get(200) - before;
console.log(`SIGTERM with 16 clients: ${sent} answered, of which ${came} came in full; the server ended with ${code}`);
rmSync(folder, { recursive: true });
process.exitCode = sent === came && code === 0 ? 0 : 1;
