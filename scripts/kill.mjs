// Kills commands with SIGKILL at random moments. Half of the kills hit a training run, which is resumed each time and
// must end with the same weights, optimizer state and log as an unbroken run. A quarter hit build, data synth, data
// vocab, eval and predict in turn: every file must be complete or absent, and a repeated command must give the same
// result. The others hit commands that replace a set of files: all files that exist must be of the old set, or all of
// the new one. `npm run test:kill [-- --kills 200 --seed 1]`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { program, root } from './program.mjs';

const { values } = parseArgs({
  options: { kills: { type: 'string', default: '200' }, seed: { type: 'string', default: '1' } },
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

/** Returns random numbers in [0, 1) from a seed (mulberry32), so that failures can be reproduced. */
function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * Runs crobc and returns its exit code, or null if it was killed: after `milliseconds`, or before its `rename`-th
 * rename. With `rename` 0, returns its number of renames instead.
 */
function crobc(words, milliseconds, rename) {
  return new Promise((done, fail) => {
    const preload = rename === undefined ? [] : ['--require', join(root, 'test/cli/failing-disk.cjs')];
    const child = spawn(process.execPath, [...preload, program, ...words], {
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, CROBC_FAIL: `SIGKILL ${rename} rename`, CROBC_FAIL_BELOW: folder },
    });
    let err = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    const timer = milliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), milliseconds);
    child.on('error', fail);
    child.on('close', (code) => {
      clearTimeout(timer);
      if (code !== 0 && code !== null) fail(new Error(`crobc ${words.join(' ')} ended with ${code}: ${err}`));
      else done(rename === 0 ? Number(/^calls (\d+)$/m.exec(err)[1]) : code);
    });
  });
}

const train = (out, milliseconds) =>
  crobc(
    ['train', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1', '--resume', '-o', out],
    milliseconds,
  );

/** Returns a hash of everything that must be equal: the tensors of all checkpoints, and the log without times. */
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

/** Commands that write files and cannot be resumed, for an output folder. */
const others = {
  build: (out) => ['build', 'learner.crob', '-o', out],
  'data synth': (out) => ['data', 'synth', '-o', out, '--scenes', '12', '--size', '64', '--seed', '2'],
  'data vocab': (out) => ['data', 'vocab', 'data', '-o', join(out, 'vocab.txt')],
  eval: (out) => ['eval', 'learner.crob', '--data', 'data', '--device', 'cpu', '--threads', '1', '-o', out],
  predict: (out) => [
    ...['predict', 'learner.crob', '--image', 'data/img_rgb/test_00001.png', '--text', 'the ship'],
    ...['--device', 'cpu', '--threads', '1', '-o', out],
  ],
};

/** Whether a path is a temporary file, and whether it is crobc's record of hashes, which contains file times. */
const isAside = (path) => path.split('/').some((name) => name.startsWith('.') || name.endsWith('.part'));
const isRecord = (path) => path.endsWith('digests.json');

/** Returns the files below a folder with hashes of their contents, ignoring times and the folder's own name. */
function filesIn(out) {
  const root = join(folder, out);
  if (!existsSync(root)) return new Map();
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((path) => !isAside(path));
  return new Map(
    paths
      .filter((path) => statSync(join(root, path)).isFile() && !isRecord(path))
      .sort()
      .map((path) => {
        const bytes = readFileSync(join(root, path));
        const isText = /\.(json|html|csv)$/.test(path);
        const timeless = (text) =>
          text
            .replaceAll(out, 'OUT')
            .replaceAll(/"(seconds|milliseconds)": ?[\d.e-]+/g, '')
            .replaceAll(/[\d.,]+ ?(ms|s|seconds)\b/g, '');
        const content = isText ? timeless(bytes.toString()) : bytes;
        return [path, createHash('sha256').update(content).digest('hex')];
      }),
  );
}

/** Returns how the files of a folder differ from those of an unbroken run; undefined if they are equal. */
function difference(found, wanted, mayLack) {
  for (const [path, hash] of found) if (wanted.get(path) !== hash) return `${path} is not what an unbroken run writes`;
  const lacking = [...wanted.keys()].find((path) => !found.has(path));
  return lacking === undefined || mayLack ? undefined : `${lacking} is missing`;
}

/** Runs a command completely, then kills it `kills` times, with and without files of an earlier run. */
async function killOther(name, kills, next) {
  const words = others[name];
  const fresh = (out) => {
    rmSync(join(folder, out), { recursive: true, force: true });
    if (name === 'data vocab') mkdirSync(join(folder, out));
  };
  fresh('other-whole');
  const started = performance.now();
  await crobc(words('other-whole'));
  const took = performance.now() - started;
  const wanted = filesIn('other-whole');
  const out = 'other-again';
  fresh(out);
  let [done, reached] = [0, 0];
  while (done < kills) {
    if ((await crobc(words(out), next() * took)) !== null) {
      // It ended before the kill: start again in an empty folder.
      reached++;
      fresh(out);
      continue;
    }
    done++;
    const broken = difference(filesIn(out), wanted, true);
    if (broken !== undefined) throw new Error(`${name}, killed: ${broken}`);
    if (next() < 0.5) {
      await crobc(words(out));
      const different = difference(filesIn(out), wanted, false);
      if (different !== undefined) throw new Error(`${name}, run again behind a kill: ${different}`);
      if (next() < 0.5) fresh(out);
    }
  }
  process.stdout.write(
    `${name}: killed ${done} times, ${wanted.size} files whole or absent; ended by itself ${reached} times\n`,
  );
  for (const one of ['other-whole', out]) rmSync(join(folder, one), { recursive: true, force: true });
}

/**
 * Sets of files that a run with another seed or model replaces. `opened` reads a complete set as a later command would.
 */
const sets = {
  build: {
    words: (out, seed) => ['build', 'large.crob', '-o', out, '--seed', seed],
    last: 'Learner.manifest.json',
    opened: (out) => {
      const { files } = JSON.parse(readFileSync(join(folder, out, 'Learner.manifest.json'), 'utf8'));
      for (const { name, sha256 } of files)
        if (
          createHash('sha256')
            .update(readFileSync(join(folder, out, name)))
            .digest('hex') !== sha256
        )
          throw new Error(`${name} is not what its manifest says`);
    },
  },
  'build --target tfjs': {
    // Programs do not depend on the seed, so the two sets are of two models.
    words: (out, seed) => ['build', seed === '1' ? 'learner.crob' : 'large.crob', '--target', 'tfjs', '-o', out],
    last: undefined,
    opened: undefined,
  },
  predict: {
    words: (out, seed) => [
      ...['predict', 'learner.crob', '--image', 'data/img_rgb/test_00001.png', '--text', `ship ${seed}`],
      ...['--seed', seed, '--device', 'cpu', '--threads', '1', '-o', out],
    ],
    last: 'test_00001.json',
    opened: undefined,
  },
  eval: {
    words: (out, seed) => [
      ...['eval', 'learner.crob', '--data', 'data', '--split', 'test', '--pictures', '2'],
      ...['--seed', seed, '--device', 'cpu', '--threads', '1', '-o', out],
    ],
    last: 'Learner.test.json',
    opened: (out) => crobc(['eval', '--compare', join(out, 'Learner.test.json')]),
  },
};

/** Returns the files of the set in a folder, without the cache of built models, which is a set of its own. */
const setIn = (out) => new Map([...filesIn(out)].filter(([path]) => !path.startsWith('model-cache')));

/**
 * Replaces each of two sets by the other in turn, and kills the replacement. All
 * files found afterwards must be of one set.
 */
async function killReplacing(name, kills, next) {
  const { words, last, opened } = sets[name];
  const seeds = ['1', '2'];
  const wholes = new Map();
  let took = 0;
  for (const seed of seeds) {
    const started = performance.now();
    await crobc(words(`set-${seed}`, seed));
    took = performance.now() - started;
    wholes.set(seed, setIn(`set-${seed}`));
  }
  const [first, second] = seeds.map((seed) => wholes.get(seed));
  const apart = [...first.keys()].filter((path) => first.get(path) !== second.get(path));
  if (apart.length < 2) throw new Error(`${name}: the sets differ in ${apart.length} files, which cannot be mixed`);
  const out = 'set-again';
  await crobc(words(out, '1'));
  const renames = await crobc(words(out, '2'), undefined, 0);
  let [done, whole, less, back] = [0, 0, 0, 0];
  let there = '2';
  while (done < kills) {
    const seed = there === '1' ? '2' : '1';
    const started = performance.now();
    // Late in the run, when files are renamed: at a random moment, or in turn before each of the renames.
    const ended =
      done % 2 === 0
        ? await crobc(words(out, seed), (0.6 + 0.5 * next()) * took)
        : await crobc(words(out, seed), undefined, renames - (back++ % renames));
    if (ended !== null) {
      there = seed;
      // On a less busy machine it ends earlier, so the estimate is updated.
      if (done % 2 === 0) took = performance.now() - started;
      continue;
    }
    done++;
    const found = setIn(out);
    const of = seeds.filter((one) =>
      apart.some((path) => found.has(path) && found.get(path) === wholes.get(one).get(path)),
    );
    for (const [path, hash] of found)
      if (!seeds.some((one) => wholes.get(one).get(path) === hash))
        throw new Error(`${name}, killed: ${path} is of no set`);
    there = of[0] ?? there;
    if (of.length > 1) throw new Error(`${name}, killed: ${[...found.keys()].join(', ')} are of both sets`);
    if (last !== undefined && found.has(last)) {
      if (found.size !== first.size) throw new Error(`${name}, killed: ${last} is there, and others are not`);
      await opened?.(out);
      whole++;
    } else if (found.size === first.size) whole++;
    else less++;
  }
  process.stdout.write(
    `${name}: killed ${done} times while it replaced ${first.size} files: ${whole} times whole, ${less} times less\n`,
  );
  for (const one of [...seeds.map((seed) => `set-${seed}`), out])
    rmSync(join(folder, one), { recursive: true, force: true });
}

try {
  writeFileSync(join(folder, 'learner.crob'), model);
  // Large enough for a separate data file.
  writeFileSync(join(folder, 'large.crob'), model.replace('Embedding(2560, 8)', 'Embedding(65536, 8)'));
  await crobc(['data', 'synth', '-o', 'data', '--scenes', '20', '--size', '64', '--seed', '1']);
  const started = performance.now();
  await train('whole');
  const took = performance.now() - started;
  const wanted = result('whole');
  const next = random(Number(values.seed));
  let done = 0;
  let runs = 0;
  // A run that ends before enough kills is compared, and another run is started.
  while (done < Math.ceil(kills / 2)) {
    const out = `run-${runs++}`;
    let here = 0;
    while (done < Math.ceil(kills / 2) && (await train(out, next() * took * 0.35)) === null) {
      done++;
      here++;
    }
    await train(out);
    if (result(out) !== wanted) throw new Error(`${out}, killed ${here} times, did not end as the unbroken run did`);
    process.stdout.write(`${out}: killed ${here} times, ended as the unbroken run did (${done} of ${kills} kills)\n`);
    rmSync(join(folder, out), { recursive: true });
  }
  const names = Object.keys(others);
  const each = Math.ceil((kills - done) / 2);
  for (const [i, name] of names.entries()) await killOther(name, Math.floor((each + i) / names.length), next);
  const replaced = Object.keys(sets);
  const left = kills - done - each;
  for (const [i, name] of replaced.entries()) await killReplacing(name, Math.floor((left + i) / replaced.length), next);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
