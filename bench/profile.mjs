import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import ort from 'onnxruntime-node';

/**
 * Where the time of a model is spent: seconds per run by operator type and by module, largest first. `moduleOf` maps a
 * node's name to its module; onnxruntime keeps the names of nodes that it fuses, or derives new names from them.
 */
export async function profile(file, feeds, { threads, repeats, scratch, moduleOf }) {
  const session = await ort.InferenceSession.create(file, {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    enableProfiling: true,
    profileFilePrefix: join(scratch, 'profile'),
    logSeverityLevel: 4,
  });
  const tensors = Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, shape, data }]) => [name, new ort.Tensor(types[dtype], data, shape)]),
  );
  for (let i = 0; i <= repeats; i++) await session.run(tensors);
  const events = recorded(session, scratch);
  await session.release();
  // The first run plans memory and is left out; events are in chronological order.
  const starts = events.filter(({ name }) => name === 'model_run').map(({ ts }) => ts);
  const kernels = events.filter(({ name, ts }) => name.endsWith('_kernel_time') && ts >= starts[1]);
  const rows = (keyOf) => {
    const found = new Map();
    for (const event of kernels) {
      const key = keyOf(event);
      const row = found.get(key) ?? { seconds: 0, nodes: 0 };
      found.set(key, { seconds: row.seconds + event.dur / 1e6 / repeats, nodes: row.nodes + 1 / repeats });
    }
    return [...found].map(([name, row]) => ({ name, ...row })).sort((a, b) => b.seconds - a.seconds);
  };
  const nodeOf = ({ name }) => name.slice(0, -'_kernel_time'.length);
  return {
    seconds: kernels.reduce((total, { dur }) => total + dur, 0) / 1e6 / repeats,
    byOperator: rows(({ args }) => args.op_name),
    byModule: rows((event) => moduleOf(nodeOf(event))),
    byPlace: rows((event) => `${moduleOf(nodeOf(event))} ${event.args.op_name}`).slice(0, 20),
  };
}

const types = { f32: 'float32', i64: 'int64', bool: 'bool' };

/** The events of a session's profile, which onnxruntime writes to `<prefix>_<time>.json`. */
function recorded(session, folder) {
  session.endProfiling();
  const file = readdirSync(folder).find((name) => /^profile_.*\.json$/.test(name));
  const events = JSON.parse(readFileSync(join(folder, file), 'utf8'));
  rmSync(join(folder, file));
  return events;
}
