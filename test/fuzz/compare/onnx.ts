import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import { indexInputs } from '../../../compiler/graphs/index-check.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { halfSettings } from '../../../runtime/ort/session.ts';
import { type OnnxRun, openOnnx } from '../../emit/onnx/session.ts';

/**
 * How a graph is run: `unseen` by passes, with `basic` optimisations only, as crobc gives onnxruntime no such graph, and its
 * choice of layouts ends the process at some of them (1.30); in half precision, with crobc's own settings; or in the form
 * for CUDA, which the CPU computes as well.
 */
export type Running = 'optimised' | 'unseen' | 'half' | 'cuda';

/** A graph in onnxruntime on one thread. */
export function openGraph(
  graph: Graph,
  weights: (path: string) => Float32Array,
  running: Running = 'optimised',
): Promise<OnnxRun> {
  const profile = running === 'cuda' ? 'cuda' : 'portable';
  const model = emitOnnx(graph, { producerVersion: 'fuzz', profile, hostChecks: indexInputs(graph) });
  return openOnnx(
    model,
    { read: weights },
    {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: running === 'unseen' ? 'basic' : 'all',
      ...(running === 'half' ? { extra: halfSettings } : {}),
    },
  );
}
