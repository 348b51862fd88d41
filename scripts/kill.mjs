// Kills a training run with SIGKILL at fifty random moments, resumes it each time, and compares what it ends with to an
// unbroken run: weights, optimizer state and log must be the same. `npm run test:kill [-- --kills 50 --seed 1]`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { program } from './program.mjs';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '50' }, seed: { type: 'string', default: '1' } },
});
const kills = Number(values.kills);
const folder = mkdtempSync(join(tmpdir(), 'crobc-kill-'));

const model = `model Learner where H % 4 == 0, W % 4 == 0, T <= 20 {
  table = Embedding(2560, 8)
  patch = Conv2d(3, 8, 4, stride = 4)
  drop = Dropout(0.1)
  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]
  let words = table(i32(tokens)) * rearrange(f32(mask), "b t -> b t 1")
  let score = einsum("b d h w, b d -> b h w", drop(patch(image)), sum(words, "b t d -> b d"))
  output logits: f32[B, 1, H, W] = resize(rearrange(score, "b h w -> b 1 h w"), [H, W])
}

recipe killed for Learner at B = 2, H = 32, W = 32, T = 8 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target)
  optimizer = AdamW(lr = 1e-2)
  schedule = warmup(10) then poly(0.9)
  ema = 0.99
  augment = true
  steps = 300
  evaluate_every = 25
  checkpoint_every = 2
}
`;

/** Numbers in [0, 1) from a seed (mulberry32), so that a failure can be had again. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Runs crobc; killed after `milliseconds` where given. Gives its exit code, or null where it was killed. */
function crobc(words, milliseconds) {
  return new Promise((done, fail) => {
    const child = spawn(process.execPath, [program, ...words], { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const timer = milliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.on('error', fail);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code !== 0 && code !== null) fail(new Error(`crobc ${words.join(' ')} ended with ${code}: ${err}`));
      else done(code);
    });
  });
}

const train = (out, milliseconds) =>
  crobc(
    ['train', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1', '--resume', '-o', out],
    milliseconds,
  );

/** Everything that must be the same: tensors of every checkpoint that is kept, and the log without what a clock says. */
function result(out) {
  const hash = createHash('sha256');
  const checkpoints = join(folder, out, 'checkpoints');
  for (const name of readdirSync(checkpoints).sort()) {
    hash.update(name);
    for (const file of ['weights.safetensors', 'state.safetensors'])
      hash.update(readFileSync(join(checkpoints, name, file)));
  }
  for (const name of ['best.safetensors', 'last.safetensors']) hash.update(readFileSync(join(folder, out, name)));
  for (const line of readFileSync(join(folder, out, 'metrics.jsonl'), 'utf8')
    .trimEnd()
    .split('\n')) {
    const { seconds, samples_per_second, ...rest } = JSON.parse(line);
    hash.update(JSON.stringify(rest));
  }
  return hash.digest('hex');
}

try {
  writeFileSync(join(folder, 'learner.crob'), model);
  await crobc(['data', 'synth', '-o', 'data', '--scenes', '20', '--size', '64', '--seed', '1']);
  const started = performance.now();
  await train('whole');
  const took = performance.now() - started;
  const wanted = result('whole');
  const next = random(Number(values.seed));
  let done = 0;
  let runs = 0;
  // A run that ends before it was killed often enough is compared, and another is begun.
  while (done < kills) {
    const out = `run-${runs++}`;
    let here = 0;
    while (done < kills && (await train(out, next() * took * 0.35)) === null) {
      done++;
      here++;
    }
    await train(out);
    if (result(out) !== wanted) throw new Error(`${out}, killed ${here} times, did not end as the unbroken run did`);
    process.stdout.write(`${out}: killed ${here} times, ended as the unbroken run did (${done} of ${kills} kills)\n`);
    rmSync(join(folder, out), { recursive: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
