import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { heldBuild } from '../../../runtime/build/held-build.ts';
import { readReport } from '../../../runtime/evaluation/report.ts';
import { FileDigests } from '../../../runtime/files/file-digests.ts';
import { isObject } from '../../../runtime/files/json.ts';
import { CheckpointStore, type RunIdentity, type StoredTensor } from '../../../runtime/training/checkpoint.ts';
import { openMetricsLog } from '../../../runtime/training/metrics-log.ts';
import { changedSurroundings, checkIdentity } from '../../../runtime/training/run-identity.ts';
import { lockRun } from '../../../runtime/training/run-lock.ts';
import { tinyReport } from '../../runtime/evaluation/tiny-report.ts';
import { allJson, type OpenReader, type Reader } from '../reader.ts';

const hex = (text: string) => createHash('sha256').update(text).digest('hex');

const identity: RunIdentity = {
  model: 'Toy',
  seed: 1,
  recipe: { recipe: 'toy', lr: 0.1, schedule: { kind: 'constant' }, groups: [], terms: ['ce'] },
  hashes: { model: 'm', loss: 'l', data: 'd', vocabulary: 'v' },
  surroundings: { crobc: '0', backend: 'onnx', device: 'cpu', threads: null, recompute: ['mid.*'] },
};
const stored: readonly StoredTensor[] = [
  { name: 'average:w', file: 'weights', as: 'w', shape: [2, 2] },
  { name: 'weight:w', file: 'state', as: 'weight:w', shape: [2, 2] },
];
const progress = (step: number) => ({
  step,
  seconds: 1.5,
  last: { loss: 0.5, lr: 0.1 },
  best: { step, score: 0.25 },
  worse: 0,
  evaluated: step,
});

/** The checksum at the end of checkpoint.json is made right, so that what is in it is read. */
function sealed(bytes: Buffer): Buffer {
  try {
    const json: unknown = JSON.parse(bytes.toString());
    if (!isObject(json)) return bytes;
    const { sha256: _, ...body } = json;
    const sha256 = hex(JSON.stringify(body, null, 2));
    return Buffer.from(`${JSON.stringify({ ...body, sha256 }, null, 2)}\n`);
  } catch {
    // It is no JSON, or nested too deep to be written again.
    return bytes;
  }
}

/** A run that goes on from its latest checkpoint, of which one file is changed. */
function checkpoints(changed: 'checkpoint.json' | 'weights.safetensors'): Reader {
  return {
    async open(folder): Promise<OpenReader> {
      const store = new CheckpointStore(folder);
      const state = new Map(stored.map(({ name }) => [name, Float32Array.of(1, 2, 3, 4)]));
      const path = await store.save(progress(4), identity, state, stored);
      const files = ['checkpoint.json', 'weights.safetensors', 'state.safetensors'].map(
        (name) => [join(path, name), readFileSync(join(path, name))] as const,
      );
      const file = join(path, changed);
      return {
        path: file,
        samples: [readFileSync(file)],
        ...(changed === 'checkpoint.json' ? { json: allJson, repair: sealed } : {}),
        names: [path],
        async read(report) {
          // A damaged checkpoint is set aside, with all that is in it.
          rmSync(`${path}.damaged`, { recursive: true, force: true });
          mkdirSync(path, { recursive: true });
          for (const [name, bytes] of files) if (name !== file) writeFileSync(name, bytes);
          const found = await store.latest(report);
          if (!found) {
            mkdirSync(path, { recursive: true });
            return;
          }
          const { step, seconds, best } = found.progress;
          const numbers = [step, seconds, best?.step ?? 0, best?.score ?? 0];
          if (!numbers.every(Number.isFinite)) throw new Error(`the progress ${JSON.stringify(found.progress)}`);
          changedSurroundings(found, identity.surroundings);
          checkIdentity(found, identity);
          await store.load(found, stored);
        },
      };
    },
  };
}

export const checkpointRecords = checkpoints('checkpoint.json');
export const checkpointWeights = checkpoints('weights.safetensors');

/** metrics.jsonl of a run that goes on. */
export const metricsLogs: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'metrics.jsonl');
    const lines = [1, 2, 3, 3, 4].map((step, i) =>
      JSON.stringify({ step, loss: 1 / step, ...(i === 3 ? { mIoU: 0.5 } : {}) }),
    );
    return {
      path,
      samples: [Buffer.from(`${lines.join('\n')}\n`)],
      async read() {
        const log = await openMetricsLog(path, { step: 3, evaluated: 3 });
        try {
          await log.append({ step: 4 });
        } finally {
          await log.close();
        }
      },
    };
  },
};

/** What a run that is there, or was, has left to keep others off. */
export const runLocks: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, '.lock');
    const holders = [
      { pid: 2 ** 30, started: '1', host: 'elsewhere', id: 'a' },
      { pid: process.pid, started: '', host: '', id: 'b' },
    ];
    return {
      path,
      samples: holders.map((holder) => Buffer.from(`${JSON.stringify(holder)}\n`)),
      json: allJson,
      names: [folder],
      read: async () => (await lockRun(folder)).release(),
    };
  },
};

/** The manifest of a build that `predict` and `eval` would use again. */
export const manifests: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'Toy.manifest.json');
    writeFileSync(join(folder, 'Toy.onnx'), 'graph');
    writeFileSync(join(folder, 'Toy.onnx.data'), 'weights');
    const manifest = {
      model: 'Toy',
      hashes: { graph: hex('g'), weights: hex('w'), build: 'this' },
      files: [
        { name: 'Toy.onnx', bytes: 5, sha256: hex('graph') },
        { name: 'Toy.onnx.data', bytes: 7, sha256: hex('weights') },
      ],
    };
    return {
      path,
      samples: [Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`)],
      json: allJson,
      async read() {
        const digests = await FileDigests.open(join(folder, 'none.json'));
        const held = await heldBuild(folder, 'Toy', 'this', digests);
        await held?.isUntouched();
      },
    };
  },
};

/** The hashes of files that were read before. */
export const digestCaches: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'digests.json');
    const weights = join(folder, 'weights.safetensors');
    writeFileSync(weights, 'weights');
    const digests = await FileDigests.open(path);
    await digests.of(weights);
    await digests.save();
    return {
      path,
      samples: [readFileSync(path)],
      json: allJson,
      async read() {
        const sha256 = await (await FileDigests.open(path)).of(weights);
        if (!/^[0-9a-f]{64}$/.test(sha256)) throw new Error('the hash is none');
      },
    };
  },
};

const report = tinyReport([10, Number.NaN, 90], { mIoU: Number.NaN });

/** Reports of `crobc eval`, as `--compare` reads them. */
export const reports: Reader = {
  async open(folder): Promise<OpenReader> {
    const path = join(folder, 'Tiny.test.json');
    return {
      path,
      samples: [Buffer.from(JSON.stringify(report))],
      json: allJson,
      read: () => readReport(path),
    };
  },
};
