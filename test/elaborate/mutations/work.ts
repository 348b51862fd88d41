import { parentPort, workerData } from 'node:worker_threads';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { graphHash } from '../../../compiler/ir/hash.ts';
import { runsAsPromised } from './run-graph.ts';
import { type Trial, trial } from './trial.ts';

/** What the worker reports of a seed; `graphs` stay where they are. */
export type Report = Omit<Trial, 'graphs'>;

export interface Progress {
  readonly seed: number;
  readonly report?: Report;
}

const seen = new Set<string>();

/** Makes the trials from a seed on in a thread, telling of each before it begins, so that one that hangs is known. */
export async function work(): Promise<void> {
  const { from, to, runs } = workerData as { from: number; to: number; runs: boolean };
  const tell = (progress: Progress) => parentPort?.postMessage(progress);
  for (let seed = from; seed < to; seed++) {
    tell({ seed });
    const found = trial(seed);
    if (!found) continue;
    const { graphs, ...report } = found;
    tell({ seed, report: { ...report, ...(runs ? await failure(graphs) : {}) } });
  }
  tell({ seed: to });
}

/** What goes wrong where a graph that no one has run yet is run. */
async function failure(graphs: readonly Graph[]): Promise<Partial<Report>> {
  for (const graph of graphs) {
    const hash = graphHash(graph);
    if (seen.has(hash)) continue;
    seen.add(hash);
    const wrong = await runsAsPromised(graph);
    if (wrong !== undefined) return { verdict: 'crash', said: `${graph.name} checks, and then: ${wrong}` };
  }
  return {};
}
