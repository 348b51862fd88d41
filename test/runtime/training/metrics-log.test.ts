import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openMetricsLog } from '../../../runtime/training/metrics-log.ts';
import { temporaryFolder } from '../temporary-folder.ts';

const at = temporaryFolder();
const line = (step: number, more = '') => `{"step":${step},"text":"é${more}"}\n`;

test.each<[string, string, number, string, number?]>([
  ['nothing to drop', line(1) + line(2), 2, line(1) + line(2)],
  [
    'later steps',
    line(1) + line(2) + line(2, ' evaluation') + line(3) + line(4),
    2,
    line(1) + line(2) + line(2, ' evaluation'),
  ],
  ['a last line that was cut off', line(1) + line(2).slice(0, -4), 2, line(1)],
  ['a line that is no JSON, and what follows', `${line(1)}oops\n${line(2)}`, 2, line(1)],
  ['everything', line(1) + line(2), 0, ''],
  [
    'an evaluation that the checkpoint does not know of',
    line(1) + line(2) + line(2, ' evaluation'),
    2,
    line(1) + line(2),
    1,
  ],
])('%s', async (_name, before, step, after, evaluated = step) => {
  const path = at('metrics.jsonl');
  await writeFile(path, before);
  const log = await openMetricsLog(path, { step, evaluated });
  await log.append({ step: step + 1, loss: Number.NaN });
  await log.sync();
  await log.close();
  expect(await readFile(path, 'utf8')).toBe(`${after}{"step":${step + 1},"loss":null}\n`);
});

test('a file that cannot be written is one line', async () => {
  await expect(openMetricsLog(at('no/metrics.jsonl'), { step: 0, evaluated: 0 })).rejects.toThrow(
    /^cannot write [^\n]*: no such file or folder$/,
  );
});
