import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { Instance, Val } from '../../compiler/elaborate/context/elaborated.ts';
import { showStatic } from '../../compiler/elaborate/context/show-value.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { isOverridden } from '../../compiler/elaborate/modules/instance.ts';
import type { Program } from '../../compiler/elaborate/source/program.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import type { OnnxModel } from '../../compiler/emit/onnx/model.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import type { IndexInput } from '../../compiler/graphs/index-check.ts';
import type { Graph, Value } from '../../compiler/ir/graph.ts';
import { guardCondition } from '../../compiler/ir/guard-condition.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { opTableVersion } from '../../compiler/ops/version.ts';
import type { WrittenFile } from '../files/atomic-file.ts';
import { packageVersion } from '../files/package-root.ts';
import { sourceName } from '../files/source-name.ts';
import { threshold } from '../images/mask.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../images/normalise.ts';
import type { Truncation } from '../text/truncation.ts';
import type { WeightsIdentity } from './build-identity.ts';
import { constantSize, referringPorts } from './referring-ports.ts';

export interface ManifestParts {
  /** Path of the source file that the user named. */
  readonly file: string;
  readonly program: Program;
  readonly model: ModelGraph;
  readonly graph: Graph;
  readonly rowNumbers: readonly IndexInput[];
  readonly hashes: {
    readonly graph: string;
    /** Undefined if no weights were written. */
    readonly weights: string | undefined;
    readonly build: string;
  };
  readonly parameters: number;
  readonly dtype: string;
  /** What the graph was emitted for. */
  readonly profile: Target;
  readonly dims: ReadonlyMap<string, number>;
  readonly weights: WeightsIdentity;
  readonly weightsFile: string | undefined;
  readonly via?: PlacedMap | undefined;
  readonly emitted: OnnxModel;
  readonly files: readonly WrittenFile[];
  /** The vocabulary file among `files`, if the weights have one. */
  readonly vocabulary: WrittenFile | undefined;
  /** How longer texts are truncated. */
  readonly truncation: Truncation;
}

export function manifestName(model: string): string {
  return `${model}.manifest.json`;
}

/** Parts are always recorded to this depth: the parts of the model and their parts. */
const choiceDepth = 2;

/** Returns the manifest as JSON: what was built, and from what. Deterministic in the sources, weights and settings. */
export function manifest(parts: ManifestParts): string {
  const { model, graph, emitted } = parts;
  const { sources, library } = sourceHashes(parts);
  const tensor = (name: string, type: TensorType, docs: string) => ({
    name,
    dtype: type.dtype,
    shape: type.shape.map((d) => graph.facts.show(d)),
    docs,
  });
  return `${JSON.stringify(
    {
      model: graph.name,
      docs: graph.docs,
      crobc: packageVersion(),
      opTable: opTableVersion,
      opset: emitted.opsets[0]?.version,
      profile: parts.profile,
      dtype: parts.dtype,
      hashes: { ...parts.hashes, sources, library },
      dims: Object.fromEntries(parts.dims),
      inputs: graph.inputs.map((i) => tensor(i.name, i.value.type, i.docs)),
      outputs: graph.outputs.map((o) => tensor(o.name, o.value.type, o.docs)),
      guards: graph.guards.map((guard) => guardCondition(guard, graph.facts)),
      rowNumbers: parts.rowNumbers.map(({ name, rows }) => ({ input: name, rows: graph.facts.show(rows) })),
      preprocessing: preprocessing(parts),
      parameters: parts.parameters,
      weights: weightsRecord(parts),
      files: parts.files.map((f) => ({ name: basename(f.path), bytes: f.bytes, sha256: f.sha256 })),
      choices: choices(model),
    },
    null,
    2,
  )}\n`;
}

/** Hashes of the model's source files by name, and one of all files of the library that it uses. */
function sourceHashes({ program, file: root }: Pick<ManifestParts, 'program' | 'file'>) {
  const sources: Record<string, string> = {};
  const library: string[] = [];
  const named = [...program.files].map(([file, scope]) => [sourceName(file, root), sha(scope.tree.text)] as const);
  for (const [file, hash] of named.sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (file.startsWith('std/')) library.push(`${file} ${hash}`);
    else sources[file] = hash;
  }
  return { sources, library: sha(library.join('\n')) };
}

/**
 * Returns what an ONNX file says of itself, as `metadata_props`: the parts of the manifest that are known before the
 * weights are written.
 */
export function onnxMetadata(
  parts: Pick<ManifestParts, 'program' | 'file' | 'dims' | 'dtype' | 'profile'> & {
    readonly name: string;
    readonly hash: string;
  },
): Readonly<Record<string, string>> {
  const { sources, library } = sourceHashes(parts);
  return {
    'crobc.model': parts.name,
    'crobc.version': packageVersion(),
    'crobc.graph': parts.hash,
    'crobc.sources': JSON.stringify(sources),
    'crobc.library': library,
    'crobc.dims': JSON.stringify(Object.fromEntries(parts.dims)),
    'crobc.dtype': parts.dtype,
    'crobc.profile': parts.profile,
  };
}

/** The origin of the weights. A file is recorded by its name without the folder: its hash identifies it. */
function weightsRecord({ weights, weightsFile, via }: ManifestParts) {
  if (weights.kind !== 'file') return weights;
  return { kind: 'file', file: basename(weightsFile!), sha256: weights.sha256, ...(via ? { map: via.name } : {}) };
}

/**
 * What a program does before and after a run of a model of images and words; null for other models. Sizes are numbers, or
 * dims of the model.
 */
function preprocessing({ graph, vocabulary, truncation }: ManifestParts) {
  const ports = referringPorts(graph);
  if (!ports) return null;
  const { image, text, logits } = ports;
  const size = (value: Value, axis: number) => constantSize(value, axis) ?? graph.facts.show(value.type.shape[axis]!);
  return {
    image: {
      input: image.name,
      layout: 'NCHW',
      channels: 'RGB',
      height: size(image.value, 2),
      width: size(image.value, 3),
      resize: 'bilinear, antialiased, on bytes',
      scale: 1 / 255,
      mean: IMAGENET_MEAN,
      deviation: IMAGENET_STD,
    },
    text: text
      ? {
          tokens: text.tokens.name,
          mask: text.mask.name,
          words: size(text.tokens.value, 1),
          truncation,
          tokenizer: 'WordPiece, [CLS] text [SEP] [PAD]…',
          vocabulary: vocabulary ? { file: basename(vocabulary.path), sha256: vocabulary.sha256 } : null,
        }
      : null,
    mask: { output: logits.name, resize: 'bilinear', threshold },
  };
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/**
 * Returns the resolved static parameters of the model and its parts, by the paths that overrides use. They include the
 * choices for what the paper leaves open. Below `choiceDepth`, modules without parts are omitted unless an override
 * changes them.
 */
function choices(model: ModelGraph): Record<string, Record<string, string>> {
  const own = [...model.params].map(([name, value]) => [name, showStatic(value)] as const);
  const found: Record<string, Record<string, string>> = { [model.flat.name]: Object.fromEntries(own) };
  const walk = (value: Val, at: string, depth: number): void => {
    if (value.kind === 'list') {
      if (areEqual(value.items)) walk(value.items[0]!, `${at}[*]`, depth);
      else for (const [i, item] of value.items.entries()) walk(item, `${at}[${i}]`, depth);
    }
    if (value.kind !== 'instance') return;
    const parts = model.partsOf(value.instance);
    if (depth <= choiceDepth || parts.size > 0 || isOverridden(value.instance)) found[at] = record(value.instance);
    for (const [name, part] of parts) walk(part, `${at}.${name}`, depth + 1);
  };
  for (const [name, value] of model.instances) walk(value, name, 1);
  return found;
}

/** Whether the items are several modules that differ only in their position. */
function areEqual(items: readonly Val[]): boolean {
  const identities = new Set(items.map((item) => (item.kind === 'instance' ? item.instance.identity : undefined)));
  return items.length > 1 && identities.size === 1 && !identities.has(undefined);
}

function record(instance: Instance): Record<string, string> {
  const found: Record<string, string> = { module: instance.decl.name.name };
  for (const param of instance.decl.params) {
    const value = instance.statics.get(param.name.name);
    if (value && value.kind !== 'instance') found[param.name.name] = showStatic(value);
  }
  return found;
}
