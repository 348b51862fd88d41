import { readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { asConstant } from '../compiler/dims/dim.ts';
import type { Graph, GraphInput, Value } from '../compiler/ir/graph.ts';
import { graphHash } from '../compiler/ir/hash.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { type BuildOptions, buildModel, type Source } from './build-model.ts';
import { imageTensor, readImage } from './image.ts';
import { encodeImage, encodeMask, maskStatistics, overlay, segment } from './mask.ts';
import { packageRoot, packageVersion } from './package-root.ts';
import { type Device, type HostTensor, openSession } from './session.ts';
import { openTokenizer } from './tokenizer.ts';
import { UserError } from './user-error.ts';

export interface PredictOptions {
  readonly image: string;
  readonly text: string;
  readonly tokenizer: string | undefined;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  readonly out: string;
  readonly dtype: 'f32' | 'f16';
  readonly weightsFile: string | undefined;
  readonly seed: number;
}

export interface Prediction {
  readonly model: string;
  readonly image: string;
  readonly text: string;
  readonly tokens: readonly string[];
  readonly truncated: boolean;
  readonly width: number;
  readonly height: number;
  /** Pixels of the image in the mask. */
  readonly area: number;
  readonly fraction: number;
  readonly box: { readonly left: number; readonly top: number; readonly right: number; readonly bottom: number } | null;
  /** Mean probability inside the mask; null when it is empty. */
  readonly score: number | null;
  /** One run of the model, images and files not counted. */
  readonly milliseconds: number;
  readonly device: Device;
  readonly note: string | undefined;
  readonly files: { readonly mask: string; readonly overlay: string; readonly json: string };
}

/** Words when neither `--set T=` nor a recipe says how many: the paper's 20, specials among them. */
const defaultWords = 20;

/**
 * Builds (or finds built) the model, runs it on one image and one sentence, and writes `<image>.mask.png`,
 * `<image>.overlay.png` and `<image>.json`. The model's inputs go by name: `image`, `tokens`, `mask`; its first output is
 * the logits.
 */
export async function predict(source: Source, options: PredictOptions): Promise<Prediction> {
  const ports = portsOf(source.graph);
  const picture = await readImage(options.image);
  const tokenizer = await openTokenizer(options.tokenizer ?? join(packageRoot(), 'models', 'vocab', 'aerial.txt'));
  const rows = tableRows(source.graph, ports.tokens);
  if (rows !== undefined && tokenizer.vocabularySize > rows) {
    throw new UserError(
      `the vocabulary has ${tokenizer.vocabularySize} word pieces and the model a table of ${rows}: they do not belong together`,
    );
  }
  const words = size(ports.tokens.value, 1) ?? defaultWords;
  const encoded = tokenizer.encode(options.text, words);
  const [height, width] = [size(ports.image.value, 2), size(ports.image.value, 3)];
  if (height === undefined || width === undefined) {
    throw new UserError(
      'the image size is open: bind it, for example with --set H=480,W=480 (or give the model a recipe that does)',
    );
  }
  const onnx = await builtModel(source, options);
  const session = await openSession(onnx, {
    device: options.device,
    ...(options.threads === undefined ? {} : { threads: options.threads }),
  });
  let logits: HostTensor;
  let milliseconds: number;
  try {
    const feeds: Record<string, HostTensor> = {
      image: { dtype: 'f32', shape: [1, 3, height, width], data: imageTensor(picture, height, width) },
      tokens: { dtype: 'i64', shape: [1, words], data: BigInt64Array.from(encoded.ids, BigInt) },
      mask: { dtype: 'bool', shape: [1, words], data: encoded.mask },
    };
    const started = performance.now();
    const results = await session.run(feeds, { wanted: [ports.output] });
    milliseconds = performance.now() - started;
    logits = results[ports.output]!;
  } finally {
    await session.release();
  }
  if (!(logits.data instanceof Float32Array) || logits.shape.length !== 4)
    throw new UserError(`the output ${ports.output} is no map of logits [B, 1, H, W]`);
  const found = segment(logits.data, [logits.shape[2]!, logits.shape[3]!], [picture.height, picture.width]);
  const statistics = maskStatistics(found);
  const stem = join(options.out, basename(options.image, extname(options.image)));
  const files = { mask: `${stem}.mask.png`, overlay: `${stem}.overlay.png`, json: `${stem}.json` };
  const prediction: Prediction = {
    model: source.graph.name,
    image: options.image,
    text: options.text,
    tokens: encoded.tokens,
    truncated: encoded.truncated,
    width: picture.width,
    height: picture.height,
    area: statistics.area,
    fraction: statistics.fraction,
    box: statistics.box ?? null,
    score: statistics.score ?? null,
    milliseconds: Math.round(milliseconds * 10) / 10,
    device: session.device,
    note: session.note,
    files,
  };
  await writeFileAtomic(files.mask, await encodeMask(found));
  await writeFileAtomic(files.overlay, await encodeImage(overlay(picture, found)));
  await writeFileAtomic(files.json, `${JSON.stringify(prediction, null, 2)}\n`);
  return prediction;
}

interface Ports {
  readonly image: GraphInput;
  readonly tokens: GraphInput;
  readonly output: string;
}

function portsOf(graph: Graph): Ports {
  const port = (name: string, rank: number): GraphInput => {
    const found = graph.inputs.find((input) => input.name === name);
    if (found?.value.type.shape.length === rank) return found;
    throw new UserError(
      `predict needs a model with the inputs image: f32[B, 3, H, W], tokens: i64[B, T] and mask: bool[B, T]; ${graph.name} has ${graph.inputs.map((i) => i.name).join(', ')}`,
    );
  };
  port('mask', 2);
  const output = graph.outputs[0];
  if (!output) throw new UserError(`${graph.name} has no output`);
  return { image: port('image', 4), tokens: port('tokens', 2), output: output.name };
}

function size(value: Value, axis: number): number | undefined {
  const d = value.type.shape[axis];
  return d && asConstant(d);
}

/** Rows of the table that tokens are looked up in. */
function tableRows(graph: Graph, tokens: GraphInput): number | undefined {
  const cameFrom = (value: Value): boolean =>
    value === tokens.value || (value.node.op === 'cast' && cameFrom(value.node.inputs[0]!));
  for (const node of graph.nodes) {
    if (node.op === 'gather' && cameFrom(node.inputs[1]!)) return size(node.inputs[0]!, 0);
  }
  return undefined;
}

/** The model file in the output folder, built again only when what it is made of has changed. */
async function builtModel(source: Source, options: PredictOptions): Promise<string> {
  const { name } = source.graph;
  const onnx = join(options.out, `${name}.onnx`);
  const stampFile = join(options.out, `${name}.stamp.json`);
  const stamp = JSON.stringify({
    crobc: packageVersion(),
    graph: graphHash(source.graph),
    dtype: options.dtype,
    weights: options.weightsFile === undefined ? `seed ${options.seed}` : await fileStamp(options.weightsFile),
  });
  const [held, there] = await Promise.all([
    readFile(stampFile, 'utf8').catch(() => ''),
    stat(onnx).catch(() => undefined),
  ]);
  if (held === stamp && there) return onnx;
  const build: BuildOptions = {
    out: options.out,
    dtype: options.dtype,
    weightsFile: options.weightsFile,
    seed: options.seed,
    writeWeights: true,
    client: false,
  };
  await buildModel(source, build);
  await writeFileAtomic(stampFile, stamp);
  return onnx;
}

async function fileStamp(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return found ? `${path} ${found.size} ${found.mtimeMs}` : path;
}
