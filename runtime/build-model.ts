import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ModelGraph } from '../compiler/elaborate/model.ts';
import type { Program } from '../compiler/elaborate/program.ts';
import type { PlacedMap } from '../compiler/elaborate/weights-map-places.ts';
import { clientInfo } from '../compiler/emit/client/info.ts';
import { emitOnnx } from '../compiler/emit/onnx/emit.ts';
import type { OnnxModel } from '../compiler/emit/onnx/model.ts';
import type { Graph } from '../compiler/ir/graph.ts';
import { graphHash } from '../compiler/ir/hash.ts';
import { type PipelineOptions, runPipeline } from '../compiler/passes/pipeline.ts';
import { position } from '../grammar/span.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { type ClientWriter, startClientWriter } from './client-writer.ts';
import { weightsOf } from './graph-weights.ts';
import { initialWeights } from './initialise.ts';
import { makeFolder } from './make-folder.ts';
import { manifest, type WeightsOrigin } from './manifest.ts';
import { type WrittenFile, writeOnnxFile } from './onnx-file.ts';
import { packageVersion } from './package-root.ts';
import { startProgress } from './progress.ts';
import type { WeightSource } from './weights.ts';
import { openWeightsVia } from './weights-map.ts';

export interface Source {
  readonly program: Program;
  readonly model: ModelGraph;
  readonly graph: Graph;
  /** Sizes that `--set` bound. */
  readonly dims: ReadonlyMap<string, number>;
  /** For weights under published names. */
  readonly via?: PlacedMap | undefined;
}

export interface BuildOptions {
  readonly out: string;
  readonly dtype: 'f32' | 'f16';
  /** safetensors; initial weights drawn from `seed` when undefined. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
  /** False: the graph alone, its weights named and not written. */
  readonly writeWeights: boolean;
  /** Also the typed client and the manifest. */
  readonly client: boolean;
  readonly pipeline?: PipelineOptions;
}

export interface Built {
  readonly model: string;
  readonly onnx: string;
  readonly files: readonly WrittenFile[];
  readonly graph: Graph;
  readonly emitted: OnnxModel;
  readonly hash: string;
  readonly parameters: number;
}

/**
 * Writes `<Model>.onnx`, its data beside it when large, `<Model>.manifest.json` and `<Model>.ts` to a folder.
 * Throws a UserError for weights that do not fit and for a folder that cannot be written.
 */
export async function buildModel(source: Source, options: BuildOptions): Promise<Built> {
  const client = options.client ? startClientWriter() : undefined;
  try {
    return await build(source, options, client);
  } finally {
    await client?.close();
  }
}

async function build(source: Source, options: BuildOptions, clientWriter: ClientWriter | undefined): Promise<Built> {
  const graph = runPipeline(source.graph, { ...options.pipeline, dtype: options.dtype });
  const { name } = graph;
  const emitted = emitOnnx(graph, {
    producerVersion: packageVersion(),
    place: ({ span }) => {
      const text = span && source.program.files.get(span.file)?.tree.text;
      return text === undefined ? '' : `${span!.file}:${position(text, span!.start).line}`;
    },
  });
  await makeFolder(options.out);
  const wanted = weightsOf(graph);
  const { weightsFile } = options;
  const opened = weightsFile === undefined ? undefined : await openWeightsVia(weightsFile, wanted, source.via);
  const weights: WeightSource = opened ?? initialWeights(wanted, options.seed);
  const onnx = join(options.out, `${name}.onnx`);
  const files: WrittenFile[] = [];
  const progress = startProgress('weights', wanted.length);
  try {
    let read = 0;
    const counted: WeightSource = {
      read(path) {
        progress.update(++read);
        return weights.read(path);
      },
    };
    files.push(...(await writeOnnxFile(emitted, { path: onnx, weights: options.writeWeights ? counted : undefined })));
  } finally {
    progress.finish();
    await opened?.close();
  }
  const hash = graphHash(source.graph);
  const parameters = wanted
    .filter((w) => w.role === 'param')
    .reduce((n, w) => n + w.shape.reduce((a, b) => a * b, 1), 0);
  if (clientWriter) {
    const origin: WeightsOrigin = !options.writeWeights
      ? { kind: 'none' }
      : weightsFile === undefined
        ? { kind: 'initial', seed: options.seed }
        : { kind: 'file', file: weightsFile, ...(source.via ? { map: source.via.name } : {}) };
    const client = await clientWriter.write(clientInfo(graph, `${name}.onnx`, hash));
    const text = manifest({
      ...source,
      graph,
      hash,
      parameters,
      dtype: options.dtype,
      weights: origin,
      emitted,
      files,
    });
    for (const [file, content] of [
      [`${name}.manifest.json`, text],
      [`${name}.ts`, client],
    ] as const) {
      const path = join(options.out, file);
      await writeFileAtomic(path, content);
      files.push({
        path,
        bytes: Buffer.byteLength(content),
        sha256: createHash('sha256').update(content).digest('hex'),
      });
    }
  }
  return { model: name, onnx, files, graph, emitted, hash, parameters };
}
