import { mkdir, writeFile } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { openTensorFile } from '../../runtime/weights/open-tensors.ts';
import { temporaryFolder } from '../runtime/temporary-folder.ts';
import { crobc } from './crobc.ts';
import { safetensorsBytes } from './safetensors-bytes.ts';
import { learner, writeDataset } from './training-data.ts';

const at = temporaryFolder();
let folder: string;

const source = (init: string) => `${learner}
weights published for Conv2d {
  "stem.w" -> "weight"
  "stem.b" -> "bias"
  "classifier.{x}" -> skip
}
recipe part extends quick {
  ${init}
  evaluate_every = 1
  schedule = constant()
}
`;

const run = async (init: string, ...more: readonly string[]) => {
  await writeFile(`${folder}/part.crob`, source(init));
  return crobc(['train', 'part.crob', '-r', 'part', '--device', 'cpu', '--steps', '1', ...more], { cwd: folder });
};
const dry = (init: string, ...more: readonly string[]) => run(init, '--dry-run', ...more);

/** The last weights of a run, which is run first if its `init` is given. */
async function weightsOfRun(out: string, init?: string): Promise<Record<string, Float32Array>> {
  if (init !== undefined) expect(await run(init, '--data', 'data', '-o', out)).toMatchObject({ code: 0 });
  const file = await openTensorFile(`${folder}/${out}/last.safetensors`);
  try {
    const weights: Record<string, Float32Array> = {};
    for (const name of file.tensors.keys()) weights[name] = await file.float32(name);
    return weights;
  } finally {
    await file.close();
  }
}

beforeAll(async () => {
  folder = at('work');
  await mkdir(folder);
  await writeDataset(`${folder}/data`);
  const filled = (shape: readonly number[], value: number) => ({
    shape,
    values: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value),
  });
  const kernel = filled([8, 3, 4, 4], 0.25);
  await writeFile(
    `${folder}/own.safetensors`,
    safetensorsBytes({ 'patch.weight': kernel, 'patch.bias': filled([8], 0), other: filled([2], 1) }),
  );
  await writeFile(
    `${folder}/published.safetensors`,
    safetensorsBytes({ 'stem.w': kernel, 'classifier.w': filled([2], 1), 'classifier.b': filled([2], 1) }),
  );
  await writeFile(`${folder}/narrow.safetensors`, safetensorsBytes({ 'patch.weight': filled([8, 1, 4, 4], 1) }));
});

test('--dry-run says what each file gives, and what is drawn', async () => {
  const ran = await dry('init patch.* from "own.safetensors"');
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.out).toMatch(
    /\ninit patch\.\* from \S*own\.safetensors: 2 weights taken; 1 tensor of the file not used\n/,
  );
  expect(ran.out).toContain('\n2 of 3 weights are from files, and 1 is drawn: table.*\n');
  const { inits } = JSON.parse((await dry('init patch.* from "own.safetensors"', '--json')).out);
  expect(inits).toMatchObject({
    inits: [{ init: 'patch.*', taken: 2, left: [], unused: 1, via: null }],
    weights: 3,
    drawn: { count: 1, parts: ['table.*'] },
  });
});

test('--dry-run refuses a file that is not there, and one of other shapes, and says all else', async () => {
  const none = await dry('init patch.* from "none.safetensors"');
  const reason = /cannot read \S*none\.safetensors: no such file or folder/;
  expect(none).toMatchObject({ code: 1, err: expect.stringMatching(new RegExp(`^crobc: ${reason.source}\n$`)) });
  expect(none.out).toMatch(new RegExp(`\nrefused     ${reason.source}\n`));
  expect(none.out).toMatch(/\ninit +patch\.\*\(file = none\.safetensors\) +part\.crob:\d+\n/);
  expect(none.out).toMatch(/\nparameters {2}[\d,]+ trained/);
  const json = await dry('init patch.* from "none.safetensors"', '--json', '--data', 'nowhere');
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out).refused).toEqual([expect.stringMatching(/nowhere/), expect.stringMatching(reason)]);
  const narrow = await dry('init patch.weight from "narrow.safetensors"');
  expect(narrow.err).toContain('patch.weight: [8, 1, 4, 4] in the file, [8, 3, 4, 4] in the model');
});

test('what a file lacks can be left out by the line that the message has', async () => {
  const init = 'init patch.* from "published.safetensors" via published';
  const lacking = await dry(init);
  expect(lacking).toMatchObject({ code: 1, err: expect.stringContaining('1 missing (patch.bias)') });
  const [, line] = /to leave these as they are, write: (init .*)/.exec(lacking.err) ?? [];
  expect(line).toBe(`${init} except patch.bias`);
  const ran = await dry(line!);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.out).toMatch(
    /published\.safetensors via published: 1 weight taken; left as they are: patch\.bias; 2 tensors of the file not used\n/,
  );
});

test('without `via`, the map is found from the names, in a dry run and in a run', async () => {
  const says =
    /init patch\.\* from \S*published\.safetensors via published: 1 weight taken; left as they are: patch\.bias; 2 tensors of the file not used\n/;
  const init = 'init patch.* from "published.safetensors" except patch.bias';
  expect(await dry(init)).toMatchObject({ code: 0, out: expect.stringMatching(says) });
  const ran = await run(init, '--data', 'data', '-o', 'found');
  expect(ran, ran.err).toMatchObject({ code: 0, err: expect.stringMatching(says) });
  const named = await weightsOfRun('named', init.replace(' except', ' via published except'));
  expect(await weightsOfRun('found')).toEqual(named);
});

test('a run says the same, and in JSON; --weights stands over it, with a note', async () => {
  const ran = await run('init patch.* from "own.safetensors"', '--data', 'data', '-o', 'run', '--json');
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(ran.err).toContain('own.safetensors: 2 weights taken; 1 tensor of the file not used\n');
  expect(JSON.parse(ran.out).inits).toMatchObject({ drawn: { count: 1, parts: ['table.*'] } });
  const over = await dry('init patch.* from "none.safetensors"', '--weights', 'run/last.safetensors');
  expect(over).toMatchObject({
    code: 0,
    err: expect.stringContaining('--weights gives every weight: the files of init are not read'),
  });
});
