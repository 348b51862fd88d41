import { emitOnnx } from '../../../compiler/emit/onnx/emit.ts';
import type { Graph } from '../../../compiler/ir/graph.ts';
import { indexInputs } from '../../../compiler/ir/index-check.ts';
import { type OnnxRun, openOnnx } from '../../emit/onnx/session.ts';

/**
 * A graph in onnxruntime on one thread. A graph that no pass has seen gets its `basic` optimisations only: crobc gives it no
 * such graph, and its choice of layouts ends the process at some of them (1.30).
 */
export function openGraph(
  graph: Graph,
  weights: (path: string) => Float32Array,
  optimised: 'all' | 'basic' = 'all',
): Promise<OnnxRun> {
  const model = emitOnnx(graph, { producerVersion: 'fuzz', hostChecks: indexInputs(graph) });
  return openOnnx(
    model,
    { read: weights },
    {
      logSeverityLevel: 4,
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      graphOptimizationLevel: optimised,
    },
  );
}
