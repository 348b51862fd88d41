// Compares how the training program for PyTorch (runtime/torch/training) reads data sets with how crobc does:
// npm run test:torch-data -- --python PYTHON
// Needs a Python with torch, numpy and pillow. Further options: --mutations N (data sets with random changes), --keep FOLDER.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { importSource } from './bundle-source.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    mutations: { type: 'string', default: '200' },
    keep: { type: 'string' },
  },
});
const work = values.keep ?? mkdtempSync(join(tmpdir(), 'crobc-torch-data-'));
mkdirSync(work, { recursive: true });
process.chdir(root);

function run(program, args) {
  const { status, error } = spawnSync(program, args, { stdio: 'inherit' });
  if (status === 0) return;
  console.error(`failed: ${basename(program)} ${args.join(' ')}${error ? `: ${error.message}` : ''}`);
  process.exit(1);
}

const synth = join(work, 'synth');
rmSync(synth, { recursive: true, force: true });
const drawing = ['--scenes', '24', '--size', '96', '--val', '5', '--test', '2', '--seed', '7'];
run(process.execPath, [join(root, 'dist/bin/crobc.cjs'), 'data', 'synth', '-o', synth, ...drawing]);
cpSync(join(root, 'test/goldens/rrsis-d'), join(work, 'rrsis-d'), { recursive: true });
// Small data sets of every layout, vocabularies, and cases.json.
const goldens = join(root, 'test/goldens');
const aerial = join(root, 'models/vocab/aerial.txt');
run(values.python, [join(root, 'scripts/torch-data/sets.py'), work, goldens, aerial, values.mutations]);

const cases = JSON.parse(readFileSync(join(work, 'cases.json'), 'utf8'));
const golden = JSON.parse(readFileSync(join(root, 'test/goldens/tokenizer.json'), 'utf8'));
cases.phrases.push(...golden.texts);
const phrases = readFileSync(join(synth, 'output_phrase_train.txt'), 'utf8').trim().split('\n');
cases.phrases.push(...phrases.map((line) => line.slice(line.indexOf(' ') + 1)));
writeFileSync(join(work, 'cases.json'), JSON.stringify(cases));
const { writeReference } = await importSource('scripts/torch-data/reference.ts');
await writeReference(cases, work);

run(values.python, [join(root, 'scripts/test-torch-data.py'), work, goldens]);
if (values.keep === undefined) rmSync(work, { recursive: true });
