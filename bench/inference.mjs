import { openSession } from 'crobc/runtime';
import { statistics } from './process.mjs';

/**
 * Times models with the same inputs and outputs in one process, alternating: A B A B …. Returns statistics of the
 * seconds, and for each model the largest difference from the first model's outputs, relative to the largest absolute
 * value of these.
 */
export async function inTurns(files, feeds, { threads, repeats }) {
  const sessions = {};
  const results = {};
  try {
    for (const [name, file] of Object.entries(files))
      sessions[name] = await openSession(file, { device: 'cpu', threads });
    let reference;
    for (const [name, session] of Object.entries(sessions)) {
      // The first run also plans memory, so it is not timed; its outputs are compared.
      const outputs = await session.run(feeds);
      reference ??= outputs;
      results[name] = { samples: [], difference: difference(reference, outputs) };
    }
    for (let i = 0; i < repeats; i++) {
      for (const [name, session] of Object.entries(sessions)) {
        const start = performance.now();
        await session.run(feeds);
        results[name].samples.push((performance.now() - start) / 1000);
      }
    }
  } finally {
    for (const session of Object.values(sessions)) await session.release();
  }
  return Object.fromEntries(
    Object.entries(results).map(([name, { samples, difference }]) => [name, { ...statistics(samples), difference }]),
  );
}

function difference(expected, given) {
  let worst = 0;
  for (const [name, { data, shape }] of Object.entries(expected)) {
    const other = given[name];
    if (other === undefined || String(other.shape) !== String(shape))
      throw new Error(`output ${name} is not the same in both models`);
    let [largest, off] = [0, 0];
    for (let i = 0; i < data.length; i++) {
      largest = Math.max(largest, Math.abs(data[i]));
      off = Math.max(off, Math.abs(data[i] - other.data[i]));
    }
    worst = Math.max(worst, off / largest);
  }
  return worst;
}
