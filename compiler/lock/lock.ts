import { asConstant } from '../dims/dim.ts';
import { inlineModel } from '../elaborate/models/inline.ts';
import type { ModelGraph } from '../elaborate/models/model.ts';
import { outline } from '../elaborate/models/outline.ts';
import { costByModule } from '../graphs/cost.ts';
import { guardCondition } from '../ir/guard-condition.ts';
import { printCanonical } from '../ir/print.ts';
import type { TensorType } from '../ir/types.ts';
import { type Hash, moduleHashes } from './module-hashes.ts';

/** A module of a locked model. */
export interface LockedPart {
  readonly module: string;
  readonly parameters: number;
  /** Of its own equations, or at the lowest level that is locked, also of those inside. */
  readonly hash: string;
}

/** What a lock file has of a model. Nothing in it depends on the optimiser. */
export interface LockedModel {
  /** The hash of the graph as written, as in the manifest of a build without `--set`. */
  readonly graph: string;
  readonly parameters: number;
  /** A polynomial over the dims, for the graph as written. */
  readonly flop: string;
  /** Conditions on sizes, inputs and outputs: `where H % 32 == 0`, `input image f32[B, 3, H, W]`. */
  readonly signature: readonly string[];
  /** By path in weights files; '.' is the body of the model itself. */
  readonly parts: ReadonlyMap<string, LockedPart>;
}

/** Levels of modules that are locked one by one. */
const levels = 2;

/** Hexadecimal digits of the hash of a part. */
const digits = 16;

/** Returns what a lock file has of an elaborated model. */
export function lockedModel(model: ModelGraph, hash: Hash): LockedModel {
  const graph = inlineModel(model, new Map());
  const costs = costByModule(graph);
  const whole = costs.get('');
  if (!whole) throw new Error('bug in crobc: a graph without a cost');
  const hashes = moduleHashes(model, hash);
  const modules = outline(model, new Map());
  const type = ({ dtype, shape }: TensorType) => `${dtype}[${shape.map((d) => graph.facts.show(d)).join(', ')}]`;
  const parts = new Map<string, LockedPart>();
  parts.set('.', { module: 'model', parameters: 0, hash: shortened(hashes.get('')?.own) });
  for (const [path, { module }] of modules) {
    const level = levelOf(path, modules);
    const found = hashes.get(path);
    if (level > levels || !found) continue;
    // A module without operators of its own has no cost.
    const cost = costs.get(path);
    const parameters = (cost && asConstant(cost.parameters)) ?? 0;
    parts.set(path, { module, parameters, hash: shortened(level === levels ? found.whole : found.own) });
  }
  return {
    graph: hash(printCanonical(graph)),
    parameters: asConstant(whole.parameters) ?? 0,
    flop: graph.facts.show(whole.flops),
    signature: [
      ...new Set([
        ...model.guards.map((guard) => `where ${guardCondition(guard, model.facts).condition}`).sort(),
        ...graph.inputs.map(({ name, value }) => `input ${name} ${type(value.type)}`),
        ...graph.outputs.map(({ name, value }) => `output ${name} ${type(value.type)}`),
      ]),
    ],
    parts,
  };
}

function shortened(hash: string | undefined): string {
  return (hash ?? '').slice(0, digits);
}

/** The number of modules on a path, itself included: 2 for `backbone.layers.0`. */
function levelOf(path: string, modules: ReadonlyMap<string, unknown>): number {
  const steps = path.split('.');
  return steps.filter((_, i) => modules.has(steps.slice(0, i + 1).join('.'))).length;
}
