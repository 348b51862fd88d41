import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import type { Program } from '../../compiler/elaborate/source/program.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { clientInfo } from '../../compiler/emit/client/info.ts';
import { defaultOpset, emitOnnx } from '../../compiler/emit/onnx/emit.ts';
import type { OnnxModel } from '../../compiler/emit/onnx/model.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import { indexInputs } from '../../compiler/graphs/index-check.ts';
import type { Graph } from '../../compiler/ir/graph.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { type Precision, runPipeline } from '../../compiler/passes/pipeline.ts';
import type { WrittenFile } from '../files/atomic-file.ts';
import { fileSha256 } from '../files/file-digests.ts';
import { FileSet } from '../files/file-set.ts';
import { makeFolder } from '../files/make-folder.ts';
import { packageVersion } from '../files/package-root.ts';
import { sourceName } from '../files/source-name.ts';
import { onnxFileNames, type WrittenModel, writeOnnx } from '../onnx/onnx-file.ts';
import { startProgress } from '../process/progress.ts';
import { isTokenizerJson, type VocabularyText } from '../text/tokenizer.ts';
import { checkWeightSizes, type GraphWeight, weightsOf } from '../weights/graph-weights.ts';
import { initialWeights } from '../weights/initialise.ts';
import { weightsSha256 } from '../weights/open-tensors.ts';
import { recordFor } from '../weights/trained-record.ts';
import type { WeightSource } from '../weights/weights.ts';
import { knownMap, openWeightsVia } from '../weights/weights-map.ts';
import { buildIdentity, type WeightsIdentity } from './build-identity.ts';
import { type ClientWriter, startClientWriter } from './client-writer.ts';
import { manifest, manifestName, onnxMetadata } from './manifest.ts';
import { originPlace } from './origin-place.ts';
import { referringClient } from './referring-ports.ts';

export interface Source {
  /** Path of the source file that the user named. */
  readonly file: string;
  readonly program: Program;
  readonly model: ModelGraph;
  readonly graph: Graph;
  /** Sizes bound with `--set`. */
  readonly dims: ReadonlyMap<string, number>;
  /** The weights map, if the weights file has published names. */
  readonly via?: PlacedMap | undefined;
  /** The maps to choose from if the weights file has published names and `via` is not given. */
  readonly knownMaps: () => readonly PlacedMap[];
  /** All weights that the model declares. A weights file may contain those that the graph does not read. */
  readonly declaredWeights: () => ReadonlySet<string>;
}

export interface BuildOptions {
  readonly out: string;
  readonly dtype: Precision;
  /** What the graph is emitted for; by default, any implementation of ONNX. */
  readonly profile?: Target;
  /** A file of tensors; if undefined, initial weights are drawn from `seed`. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
  /** If false, only the graph is written; its weights refer to a data file that is not written. */
  readonly writeWeights: boolean;
  /** Whether to write the typed client too. */
  readonly client: boolean;
  /** Whether to write the vocabulary of trained weights too; by default, with the client. */
  readonly vocabulary?: boolean;
  /** What the names of the files begin with; by default, the name of the model. */
  readonly stem?: string;
  /**
   * Whether the graph itself refuses row numbers that are out of range, for a runtime whose callers nobody checks; by
   * default, this is left to who runs the model.
   */
  readonly checksRows?: boolean;
}

export interface Built {
  readonly model: string;
  /** The graph, the data file if there is one, the client if requested, and the manifest. */
  readonly files: readonly WrittenFile[];
  readonly emitted: OnnxModel;
  readonly hash: string;
  readonly parameters: number;
  /** Number of weights in the graph. */
  readonly weights: number;
}

/**
 * Writes `<Model>.onnx`, its data file if it is large, `<Model>.manifest.json` and `<Model>.ts` to a folder: all of
 * them, or none, so that the previous files remain. Throws a UserError for weights that do not fit and a folder that is
 * not writable.
 */
export async function buildModel(source: Source, options: BuildOptions): Promise<Built> {
  const client = options.client ? startClientWriter() : undefined;
  try {
    return await build(source, options, client);
  } finally {
    await client?.close();
  }
}

async function build(given: Source, options: BuildOptions, clientWriter: ClientWriter | undefined): Promise<Built> {
  const { out, dtype } = options;
  const source = await withKnownMap(given, options.writeWeights ? options.weightsFile : undefined);
  const graph = runPipeline(source.graph, { dtype });
  const { name } = graph;
  const { stem = name, checksRows = false, profile = 'portable' } = options;
  const hash = graphHash(source.graph);
  // From the graph before optimisation, so that any holder of the source graph checks the same inputs.
  const rowNumbers = indexInputs(source.graph);
  const emitted = emitOnnx(graph, {
    producerVersion: packageVersion(),
    profile,
    hostChecks: checksRows ? [] : rowNumbers,
    metadata: onnxMetadata({ ...source, name, hash, dtype, profile }),
    place: (origin) => originPlace(source.program, origin, (file) => sourceName(file, source.file)) ?? '',
  });
  const wanted = weightsOf(graph);
  if (options.writeWeights) checkWeightSizes(wanted);
  await makeFolder(out);
  const clientName = `${stem}.ts`;
  const names = [...onnxFileNames(stem), clientName, ...vocabularyNames(stem), manifestName(stem)];
  const set = new FileSet(out, names);
  try {
    const identity = await weightsIdentity(source, options);
    const { files, weights } = await writeModel({ source, options, emitted, wanted, set, name: stem });
    // Trained weights contain the vocabulary that a program needs for words.
    const { client: ofClient, vocabulary: withWords = ofClient } = options;
    const trained = withWords && options.writeWeights ? await recordFor(source, options.weightsFile) : undefined;
    const words = trained?.vocabulary;
    const truncation = words?.truncation ?? 'keep-sep';
    const client =
      clientWriter &&
      (await set.write(
        clientName,
        await clientWriter.write({
          ...clientInfo(graph, `${stem}.onnx`, hash, rowNumbers),
          referring: referringClient(source.graph, truncation),
        }),
      ));
    const vocabulary = words && (await set.write(vocabularyNameOf(stem, words), words.text));
    const parameters = wanted
      .filter((w) => w.role === 'param')
      .reduce((n, w) => n + w.shape.reduce((a, b) => a * b, 1), 0);
    const beside = [client, vocabulary].filter((file) => file !== undefined);
    const record = await set.write(
      manifestName(stem),
      manifest({
        ...source,
        graph,
        rowNumbers,
        hashes: {
          graph: hash,
          weights,
          build: buildIdentity({
            graph: hash,
            expected: source.graph.expected,
            dtype,
            opset: defaultOpset,
            profile,
            weights: identity,
          }),
        },
        parameters,
        dtype,
        profile,
        weights: identity,
        weightsFile: options.weightsFile,
        emitted,
        files: [...files, ...beside],
        vocabulary,
        truncation,
      }),
    );
    await set.commit();
    const all = [...files, record, ...beside];
    return { model: name, files: all, emitted, hash, parameters, weights: wanted.length };
  } finally {
    await set.abort();
  }
}

const vocabularyNames = (model: string) => [`${model}.vocab.txt`, `${model}.tokenizer.json`] as const;

function vocabularyNameOf(model: string, { text }: VocabularyText): string {
  const [plain, json] = vocabularyNames(model);
  return isTokenizerJson(text) ? json : plain;
}

/**
 * Returns the source with the map by whose names its weights file is written, if the file has published names and no map is
 * given.
 */
export async function withKnownMap<S extends Source>(source: S, weightsFile: string | undefined): Promise<S> {
  if (weightsFile === undefined || source.via) return source;
  const { knownMaps: known, declaredWeights: declared } = source;
  const via = await knownMap(weightsFile, weightsOf(source.graph), { known, declared });
  return via ? { ...source, via } : source;
}

async function weightsIdentity({ via }: Source, options: BuildOptions): Promise<WeightsIdentity> {
  const { writeWeights, weightsFile, seed } = options;
  if (!writeWeights) return { kind: 'none' };
  if (weightsFile === undefined) return { kind: 'initial', seed };
  return { kind: 'file', sha256: await weightsSha256(weightsFile, fileSha256), rules: via?.rules };
}

interface ModelParts {
  readonly source: Source;
  readonly options: BuildOptions;
  readonly emitted: OnnxModel;
  readonly wanted: readonly GraphWeight[];
  readonly set: FileSet;
  readonly name: string;
}

/** Writes the graph and its data, with a progress bar on a terminal. */
async function writeModel({ source, options, emitted, wanted, set, name }: ModelParts): Promise<WrittenModel> {
  if (!options.writeWeights) return writeOnnx(emitted, { set, name, weights: undefined });
  const weights = await openModelWeights(source, wanted, options);
  const progress = startProgress('weights', wanted.length);
  try {
    let read = 0;
    return await writeOnnx(emitted, {
      set,
      name,
      weights: {
        read(path) {
          progress.update(++read);
          return weights.read(path);
        },
      },
    });
  } finally {
    progress.finish();
    await weights.close();
  }
}

/** Opens the weights of a model: those of a file (by the source's map, if there is one), or initial weights. */
export async function openModelWeights(
  source: Source,
  wanted: readonly GraphWeight[],
  { weightsFile, seed }: Pick<BuildOptions, 'weightsFile' | 'seed'>,
): Promise<WeightSource & { close(): Promise<void> }> {
  const { via, knownMaps: known, declaredWeights: declared } = source;
  if (weightsFile !== undefined) return openWeightsVia(weightsFile, wanted, { via, known, declared });
  return { ...initialWeights(wanted, seed), close: async () => {} };
}
