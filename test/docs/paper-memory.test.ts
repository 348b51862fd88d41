// slow: estimates the training of CroBIM in many micro-batches

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { compileTraining } from '../../compiler/training/compile-training.ts';
import { stepMemory } from '../../compiler/training/memory.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { diskHost } from '../../runtime/files/source-host.ts';
import { deviceNeed, plannedMemory } from '../../runtime/training/device-need.ts';
import { graphsOf } from '../../runtime/training/step-memory.ts';
import { stepParts } from '../../runtime/training/step-parts.ts';
import { tableOf } from './declarations.ts';

const page = 'docs/training.md';

/** The training of the paper, in micro-batches. */
function paper(batch: number, accumulate: number) {
  const { training } = compileTraining(diskHost(), 'models/crobim.crob', {
    model: 'CroBIM',
    recipe: 'paper',
    dims: new Map([['B', batch]]),
    overrides: [`recipe.accumulate=${accumulate}`],
  });
  return training!;
}

test('the table of GPUs for the paper is what a dry run says', async () => {
  const whole = paper(32, 1);
  const steps = graphsOf(stepParts(whole, { backend: 'onnx' }));
  const resizing = { resized: paper, replaced: [] };
  const rows: string[][] = [];
  for (const gibibytes of [24, 40, 80]) {
    const memory = plannedMemory(gibibytes * 2 ** 30);
    const need = await deviceNeed(whole, steps, memory, { batch: 32, recompute: [], half: undefined, resizing });
    for (const { options, needed } of need.proposals)
      rows.push([`${gibibytes} GiB`, `\`${options}\``, byteSize(needed)]);
  }
  const right = tableOf(['GPU with', 'options', 'needs about'], rows);
  const text = readFileSync(page, 'utf8');
  const table = /^\| GPU with \|.*\n(\|.*\n)*/m;
  expect(text).toMatch(table);
  await expect(text.replace(table, () => `${right}\n`)).toMatchFileSnapshot(`../../${page}`);
});

test('the page says what recomputing saves of a step of the paper', () => {
  const peaks = [[], ['backbone.layers.*', 'mid.layers.*']].map((recompute) => {
    const [step] = graphsOf(stepParts(paper(1, 32), { backend: 'onnx', recompute }));
    return (stepMemory([step!], 'onnx').working / 2 ** 30).toFixed(2);
  });
  const row = `| CroBIM at 480², micro-batches of 1, estimated | ${peaks.join(' GiB | ')} GiB |`;
  expect(readFileSync(page, 'utf8')).toContain(row);
});
