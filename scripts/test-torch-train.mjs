// Trains models by crobc and by the programs that it writes for PyTorch, and compares the results:
// npm run test:torch-train -- --python PYTHON
// Needs a Python with torch, safetensors and numpy. Further options: --only NAME, --steps N, --keep FOLDER.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSource } from './bundle-source.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    only: { type: 'string', multiple: true },
    steps: { type: 'string', default: '10' },
    keep: { type: 'string' },
  },
});
const work = values.keep ?? mkdtempSync(join(tmpdir(), 'crobc-torch-train-'));
mkdirSync(work, { recursive: true });

// Every setting that changes a step, in two recipes, and random draws.
const settings = join(work, 'settings.crob');
writeFileSync(
  settings,
  `use models.rivals.lavt.{LAVT_micro, lavt_micro}
use std.backbone.{SwinMicro}
use std.text.{BertMicro}

model Dropped extends LAVT_micro {
  backbone = SwinMicro(drop_path = 0.2)
  text = BertMicro(dropout = 0.1)
}

recipe settings for Dropped extends lavt_micro {
  accumulate = 2
  clip = 0.5
  ema = 0.9
  schedule = warmup(3) then cosine(0.1) then constant(0.5)
  group backbone.* { lr = 0.1x; weight_decay = 0.0 }
  group text.layers[0].* { lr = 5e-4 }
  fix text.word.*
  eval decoder.*
}

recipe plain for LAVT_micro extends lavt_micro {
  optimizer = SGD(lr = 0.005, momentum = 0.9, weight_decay = 0.001)
  schedule = poly(0.9, end = 0.1)
  train all except text.*
}
`,
);
// Small sizes, so that ten steps take seconds.
const small = { B: 2, H: 64, W: 64 };
// Statistics of a batch of a few pixels amplify the smallest differences.
const normed = { B: 4, H: 128, W: 128 };
const model = (file, name, sizes, checks = {}) => ({
  name,
  file: join(root, 'models', file),
  model: name,
  sizes,
  checks,
});
// A model of a few operators, with batch normalisation, draws and losses that are no means over samples.
const tiny = join(work, 'tiny.crob');
writeFileSync(
  tiny,
  `use std.losses.{cross_entropy, dice}
use std.drop.{DropPath}

model Tiny where H % 4 == 0, W % 4 == 0, T <= 20 {
  table = Embedding(2560, 8)
  patch = Conv2d(3, 8, 4, stride = 4, bias = false)
  norm = BatchNorm(8)
  drop = Dropout(0.3)
  path = DropPath(0.3)
  input image: f32[B, 3, H, W]
  input tokens: i64[B, T]
  input mask: bool[B, T]
  let words = drop(table(i32(tokens))) * rearrange(f32(mask), "b t -> b t 1")
  let seen = rearrange(path(rearrange(relu(norm(patch(image))), "b c h w -> b h w c")), "b h w c -> b c h w")
  let score = einsum("b d h w, b d -> b h w", seen, sum(words, "b t d -> b d"))
  output logits: f32[B, 1, H, W] = resize(rearrange(score, "b h w -> b 1 h w"), [H, W])
  output(train) size = sum(square(table.rows(100)), "n c ->")
}

recipe tiny for Tiny at B = 4, H = 16, W = 16, T = 8 {
  input target: f32[B, 1, H, W]
  term ce = cross_entropy(logits, target, foreground = 2.0)
  term dice = 0.5 * dice(logits, target)
  term size = 0.001 * size
  optimizer = AdamW(lr = 0.01)
  schedule = warmup(3) then poly(0.9)
  steps = 10
  accumulate = 2
  clip = 1.0
  ema = 0.9
}
`,
);
const everything = { continued: true, processes: [{}, { strategy: 'fsdp' }], precision: true };
const cases = [
  { name: 'tiny', file: tiny, model: 'Tiny', sizes: {}, checks: everything },
  model('crobim.crob', 'CroBIM_micro', small, everything),
  model('rivals/lavt.crob', 'LAVT_micro', small, { processes: [{}] }),
  model('rivals/rmsin.crob', 'RMSIN_micro', { B: 2, H: 128, W: 128 }),
  model('rivals/cris.crob', 'CRIS_micro', normed),
  { name: 'settings', file: settings, model: 'Dropped', recipe: 'settings', sizes: small, checks: everything },
  { name: 'plain', file: settings, model: 'LAVT_micro', recipe: 'plain', sizes: small, checks: { continued: true } },
];

const { writeReference } = await importSource('scripts/train-reference.ts');
const crobc = join(root, 'dist/bin/crobc.cjs');
const folders = [];
const failed = [];
for (const { name, file, model, recipe, sizes, checks } of cases) {
  if (values.only && !values.only.includes(name)) continue;
  const folder = join(work, name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  const chosen = recipe === undefined ? [] : ['--recipe', recipe];
  const set = Object.entries(sizes).map(([dim, n]) => `${dim}=${n}`);
  const build = [
    'build',
    file,
    '-m',
    model,
    ...chosen,
    ...(set.length > 0 ? ['--set', set.join()] : []),
    '--target',
    'torch',
    '-o',
    join(folder, 'program'),
  ];
  const built = spawnSync(process.execPath, [crobc, ...build], { encoding: 'utf8' });
  if (built.status !== 0) {
    console.log(`FAILED ${name}:\n${built.stderr}`);
    failed.push(name);
    continue;
  }
  await writeReference({ file, model, recipe, sizes, folder, steps: Number(values.steps) });
  writeFileSync(join(folder, 'case.json'), JSON.stringify({ checks }));
  folders.push(folder);
}
const python = [join(root, 'scripts/test-torch-train.py'), ...folders];
if (spawnSync(values.python, python, { stdio: 'inherit' }).status !== 0) failed.push('results');
if (values.keep === undefined) rmSync(work, { recursive: true });
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`);
  process.exitCode = 1;
}
