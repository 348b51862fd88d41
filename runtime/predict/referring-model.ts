import { join } from 'node:path';
import type { Graph, GraphInput, Value } from '../../compiler/ir/graph.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import type { Source } from '../build/build-model.ts';
import { type CacheOptions, openBuilt } from '../build/model-cache.ts';
import { constantSize, type ReferringPorts, readBands, referringPorts } from '../build/referring-ports.ts';
import { packageRoot } from '../files/package-root.ts';
import { UserError } from '../files/user-error.ts';
import type { ArrayPool } from '../ort/array-pool.ts';
import { rowNumberCheck } from '../ort/row-numbers.ts';
import type { Device, Feeds, HostTensor } from '../ort/session.ts';
import { during } from '../process/stage.ts';
import { openTokenizer, type TextInput, type VocabularyText } from '../text/tokenizer.ts';
import type { Truncation } from '../text/truncation.ts';
import { checkMemory } from './model-memory.ts';
import { explainLogits } from './non-finite-logits.ts';

export interface ReferringModelOptions extends CacheOptions {
  /** A file, or the vocabulary of trained weights; if undefined, the aerial vocabulary that ships with crobc. */
  readonly tokenizer: string | VocabularyText | undefined;
  readonly device: Device | 'auto';
  readonly threads: number | undefined;
  /** Whether CUDA may round factors of products in f32 (default true). */
  readonly tf32?: boolean;
  /** The graph of the model with further outputs, if a run is to give these too. */
  readonly exposed?: Graph | undefined;
}

/** Input sizes and tokenizer of a segmentation model, with or without a phrase as input. */
export interface ReferringInputs {
  readonly height: number;
  readonly width: number;
  /** Batch size of the model; undefined if it is open. */
  readonly batch: number | undefined;
  /** Undefined for a model that reads only images. */
  readonly text: TextInput | undefined;
}

/** f32[B, 1, H, W]. */
export type Logits = HostTensor & { readonly data: Float32Array };

export interface ReferringModel {
  readonly device: Device;
  readonly note: string | undefined;
  /** Whether products in f32 are computed in TF32. */
  readonly tf32: boolean;
  /** Where feeds are copied to a device: arrays of which that is fastest. */
  readonly arrays: ArrayPool | undefined;
  /** image f32[B, 3, H, W] and, if it reads words, tokens i64[B, T] and mask bool[B, T] → logits f32[B, 1, H, W]. */
  run(feeds: Feeds): Promise<Logits>;
  /** Like `run`, with the further outputs of `exposed`, by name. */
  runExposed(feeds: Feeds): Promise<{ readonly logits: Logits; readonly values: ReadonlyMap<string, HostTensor> }>;
  /** Returns why `run` gave NaN or infinite logits for these feeds, as a phrase. */
  explain(feeds: Feeds): Promise<string>;
  release(): Promise<void>;
}

/** Default number of words, including special tokens, if neither `--set T=` nor a recipe sets it: the paper's 20. */
const defaultWords = 20;

interface InputOptions extends Pick<ReferringModelOptions, 'tokenizer'> {
  readonly dtype?: Precision;
  /** How a longer sentence is truncated; default: as the vocabulary says. */
  readonly truncation?: Truncation | undefined;
  /** Batch size if the model leaves it open; default 1. */
  readonly openBatch?: number;
}

/**
 * Returns the input sizes and the tokenizer of a model, before anything is built. Inputs must be named `image` and, if
 * it reads words, `tokens` and `mask`. Throws a UserError if they are missing, if the image size is open, if a run does
 * not fit into the memory of this machine, and if the vocabulary does not fit the model.
 */
export async function referringInputs(
  graph: Graph,
  { tokenizer: file, dtype = 'f32', truncation, openBatch = 1 }: InputOptions,
): Promise<ReferringInputs> {
  const { image, text: words } = portsOf(graph);
  checkBands(graph.name, image.value);
  const text = words && (await textInput(graph, words.tokens, file, truncation));
  const [height, width] = [constantSize(image.value, 2), constantSize(image.value, 3)];
  if (height === undefined || width === undefined) {
    throw new UserError(
      'the image size is open: bind it, for example with --set H=480,W=480 (or give the model a recipe that does)',
    );
  }
  const batch = constantSize(image.value, 0);
  checkMemory(graph, { height, width, batch: batch ?? openBatch, dtype });
  return { height, width, batch, text };
}

async function textInput(
  graph: Graph,
  tokens: GraphInput,
  file: string | VocabularyText | undefined,
  truncation: Truncation | undefined,
): Promise<TextInput> {
  const tokenizer = await openTokenizer(file ?? join(packageRoot(), 'models', 'vocab', 'aerial.txt'), truncation);
  const rows = tableRows(graph, tokens);
  if (rows !== undefined && tokenizer.vocabularySize > rows) {
    throw new UserError(
      `the vocabulary has ${tokenizer.vocabularySize} word pieces and the model a table of ${rows}: they do not belong together`,
    );
  }
  return { words: wordCount(tokens), tokenizer };
}

/** Returns the number of tokens that an input for words takes, including [CLS] and [SEP]. */
export function wordCount(tokens: GraphInput): number {
  return constantSize(tokens.value, 1) ?? defaultWords;
}

/** Returns the input for words; undefined if the model reads only images. Throws a UserError for other inputs. */
export function wordsOf(graph: Graph): GraphInput | undefined {
  return portsOf(graph).text?.tokens;
}

/** The error for an option that has no effect on a model without words. */
export function noWords({ name }: Graph, option: string): UserError {
  return new UserError(`${option} is for models that take words, and ${name} has the input image alone`);
}

/** Throws a UserError if a vocabulary, or how it is used, is given for a model without words. */
export function refuseVocabulary(
  graph: Graph,
  { tokenizer, truncation }: { readonly tokenizer: unknown; readonly truncation: unknown },
): void {
  if (tokenizer !== undefined) throw noWords(graph, '--tokenizer');
  if (truncation !== undefined) throw noWords(graph, '--truncation');
}

/** Opens the model, and builds it if there is no build. Its first output must be the logits. */
export async function openReferringModel(source: Source, options: ReferringModelOptions): Promise<ReferringModel> {
  const output = portsOf(source.graph).logits.name;
  const { device, threads, tf32 = true, exposed } = options;
  const built = exposed ? { ...source, graph: exposed } : source;
  const own = new Set(source.graph.outputs.map(({ name }) => name));
  const further = (exposed?.outputs ?? []).flatMap(({ name }) => (own.has(name) ? [] : [name]));
  const session = await during(`building and opening ${source.graph.name}`, () =>
    openBuilt(built, exposed ? { ...options, apart: 'exposed' } : options, {
      device,
      tf32,
      ...(threads === undefined ? {} : { threads }),
    }),
  );
  const checkRowNumbers = rowNumberCheck(source.graph);
  const runOf = async (feeds: Feeds, names: readonly string[]) => {
    checkRowNumbers(feeds);
    const results = await session.run(feeds, { wanted: [output, ...names] });
    const logits = results[output]!;
    const { data } = logits;
    if (!(data instanceof Float32Array) || logits.shape.length !== 4)
      throw new UserError(`the output ${output} is no map of logits [B, 1, H, W]`);
    return { logits: { ...logits, data }, values: new Map(names.map((name) => [name, results[name]!])) };
  };
  return {
    device: session.device,
    note: session.note,
    tf32: session.tf32,
    arrays: session.arrays,
    run: async (feeds) => (await runOf(feeds, [])).logits,
    runExposed: (feeds) => runOf(feeds, further),
    explain: (feeds) => explainLogits(source, feeds, { ...options, device: session.device }),
    release: () => session.release(),
  };
}

function portsOf(graph: Graph): ReferringPorts {
  const ports = referringPorts(graph);
  if (ports) return ports;
  if (graph.outputs.length === 0) throw new UserError(`${graph.name} has no output`);
  throw new UserError(
    `this command needs a model with the input image: f32[B, 3, H, W] and, where it takes words, tokens: i64[B, T] and mask: bool[B, T]; ${graph.name} has ${graph.inputs.map((i) => i.name).join(', ')}`,
  );
}

/** Throws a UserError if the model's images do not have three channels; `where` is appended to the message. */
export function checkBands(model: string, image: Value, where = ''): void {
  const bands = constantSize(image, 1);
  if (bands === undefined || bands === readBands) return;
  throw new UserError(
    `${model} takes images of ${bands} ${bands === 1 ? 'band' : 'bands'}, and train, eval and predict read pictures as RGB, which has ${readBands}: build it and run it from your own program, or set its backbone's bands to ${readBands}${where}`,
  );
}

/** Number of rows of the table in which tokens are looked up. */
export function tableRows(graph: Graph, tokens: GraphInput): number | undefined {
  const cameFrom = (value: Value): boolean =>
    value === tokens.value || (value.node.op === 'cast' && cameFrom(value.node.inputs[0]));
  for (const node of graph.nodes) {
    if (node.op === 'gather' && cameFrom(node.inputs[1])) return constantSize(node.inputs[0], 0);
  }
  return undefined;
}
