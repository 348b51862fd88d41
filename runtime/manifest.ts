import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { ModelGraph } from '../compiler/elaborate/model.ts';
import type { Program } from '../compiler/elaborate/program.ts';
import { type Instance, showStatic, type Val } from '../compiler/elaborate/values.ts';
import type { OnnxModel } from '../compiler/emit/onnx/model.ts';
import type { Graph, TensorType } from '../compiler/ir/graph.ts';
import { opTableVersion } from '../compiler/ops/version.ts';
import type { WrittenFile } from './onnx-file.ts';
import { packageVersion } from './package-root.ts';

/** Where the weights beside a model came from. */
export type WeightsOrigin =
  | { readonly kind: 'none' }
  | { readonly kind: 'initial'; readonly seed: number }
  | { readonly kind: 'file'; readonly file: string; readonly map?: string };

export interface ManifestParts {
  readonly program: Program;
  readonly model: ModelGraph;
  readonly graph: Graph;
  readonly hash: string;
  readonly parameters: number;
  readonly dtype: string;
  readonly dims: ReadonlyMap<string, number>;
  readonly weights: WeightsOrigin;
  readonly emitted: OnnxModel;
  readonly files: readonly WrittenFile[];
}

/** How deep the recorded choices go: the parts of the model and their parts. */
const choiceDepth = 2;

/** What was built from what, as JSON; the same bytes for the same sources, weights and settings. */
export function manifest(parts: ManifestParts): string {
  const { program, model, graph, emitted } = parts;
  const sources: Record<string, string> = {};
  const library: string[] = [];
  for (const [file, scope] of [...program.files].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (file.startsWith('std/')) library.push(`${file} ${sha(scope.tree.text)}`);
    else sources[basename(file)] = sha(scope.tree.text);
  }
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
      dtype: parts.dtype,
      hashes: { graph: parts.hash, sources, library: sha(library.join('\n')) },
      dims: Object.fromEntries(parts.dims),
      inputs: graph.inputs.map((i) => tensor(i.name, i.value.type, i.docs)),
      outputs: graph.outputs.map((o) => tensor(o.name, o.value.type, o.docs)),
      guards: graph.guards.map((g) => g.text),
      parameters: parts.parameters,
      weights: parts.weights,
      files: parts.files.map((f) => ({ name: basename(f.path), bytes: f.bytes, sha256: f.sha256 })),
      choices: choices(model),
    },
    null,
    2,
  )}\n`;
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Every static parameter of the model and its parts as it came out: the readings where the paper is silent are among them. */
function choices(model: ModelGraph): Record<string, Record<string, string>> {
  const found: Record<string, Record<string, string>> = {};
  const own: Record<string, string> = {};
  for (const [name, value] of model.params) own[name] = showStatic(value);
  found[model.flat.name] = own;
  const walk = (value: Val, depth: number): void => {
    if (value.kind === 'list') for (const item of value.items) walk(item, depth);
    if (value.kind !== 'instance' || depth > choiceDepth) return;
    const parts = model.partsOf(value.instance);
    found[value.instance.path] = record(value.instance);
    for (const inner of parts) walk(inner, depth + 1);
  };
  for (const value of model.instances.values()) walk(value, 1);
  return found;
}

function record(instance: Instance): Record<string, string> {
  const found: Record<string, string> = { module: instance.decl.name.name };
  for (const param of instance.decl.params) {
    const value = instance.statics.get(param.name.name);
    if (value && value.kind !== 'instance') found[param.name.name] = showStatic(value);
  }
  return found;
}
