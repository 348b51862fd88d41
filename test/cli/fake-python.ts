import { chmod, writeFile } from 'node:fs/promises';

/**
 * A program in place of a Python with PyTorch. It answers the search as `report` says, and runs as training programs do:
 * `script` is the body of a function of `say`, which writes a line of the protocol, and `stopped`, which resolves with
 * the signal that it is sent. It writes its arguments to `words.json` in its folder.
 */
export async function writeFakePython(path: string, script: string, report: object = wholeReport): Promise<void> {
  const program = `#!${process.execPath}
const { writeFileSync } = require('node:fs');
const [first, ...rest] = process.argv.slice(2);
if (first === '-c') {
  console.log('noise\\n>' + ${JSON.stringify(JSON.stringify(report))});
} else {
  writeFileSync('words.json', JSON.stringify([first, ...rest]));
  const say = (line) => process.stdout.write((typeof line === 'string' ? line : JSON.stringify(line)) + '\\n');
  const stopped = new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => resolve(signal));
  });
  const plan = { perStep: 2, stepsPerEpoch: 3, steps: 2, evaluateEvery: 2, checkpointEvery: 2 };
  const progress = { step: 0, seconds: 0, last: null, best: null, worse: 0, evaluated: 0 };
  const start = { event: 'start', pid: process.pid, device: 'cpu', metric: 'mIoU', plan, progress, vocabulary: 'v.txt' };
  const step = (n) => ({
    event: 'step', step: n, loss: 1 / n, terms: { ce: 1 / n }, gradientNorm: 2, learningRate: 0.01, samplesPerSecond: 5,
  });
  const after = (n) => ({ ...progress, step: n, seconds: n / 2, last: { loss: 1 / n, lr: 0.01 } });
  (async () => {${script}})();
}
`;
  await writeFile(path, program);
  await chmod(path, 0o755);
}

const packages = { torch: '2.13.0', numpy: '2.4.6', safetensors: '0.8.0', PIL: '13.0.0' };

/** What a Python with everything says. */
export const wholeReport = { version: '3.11.7', packages, faults: {}, devices: [] as string[], distributed: true };
