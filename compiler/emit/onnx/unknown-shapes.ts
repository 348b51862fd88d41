import { tensor } from '../../ir/tensor-data.ts';
import { inferredShapes } from './inferred-shapes.ts';
import type { Initialiser, OnnxModel, OnnxNode, ValueInfo } from './model.ts';
import { neededShapes } from './needed-shapes.ts';

/**
 * Returns the same model with shapes that onnxruntime finds only when it runs the model. onnxruntime gives a result the
 * buffer of a dead tensor of exactly its shape, and frees a buffer after its last tensor only, so buffers are held
 * between two tensors (AllocationPlanner, 1.30), which is most of what a training step holds. A tensor of unknown shape
 * has a buffer of its own, which is freed after its last reader.
 *
 * Shapes are unknown behind a Reshape whose target is not constant: an input of the model with a default value. The
 * inputs named in `fed` go through such a Reshape too. The target has an unknown number of elements, so that the ranks
 * of results are unknown as well: onnxruntime 1.30 compares a tensor of known rank with all dead ones of known rank,
 * slowly, when it opens a model (FindReusableTensor). Only what its optimisations need is written: what it would infer
 * itself if it knew the ranks.
 */
export function withUnknownShapes(model: OnnxModel, fed: ReadonlySet<string>): OnnxModel {
  const { graph } = model;
  const known = graph.inputs.filter(({ name, shape }) => fed.has(name) && shape.length > 0);
  const views = known.map(viewOf);
  const viewed = new Map(known.map(({ name }, i) => [name, views[i]!.node.outputs[0]!]));
  const read = graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map((name) => viewed.get(name) ?? name) }));
  const nodes = [...views.map(({ node }) => node), ...read];
  const initialisers = [...graph.initialisers, ...views.map(({ target }) => target)];
  const targets = new Set<string>();
  const others = new Set<string>();
  for (const { op, inputs } of nodes)
    for (const [i, name] of inputs.entries()) (op === 'Reshape' && i === 1 ? targets : others).add(name);
  const defaults = initialisers.filter(({ name }) => targets.has(name) && !others.has(name));
  const added = defaults.map(({ name, dtype, dims }) => ({ name, dtype, shape: dims.map(() => undefined), docs: '' }));
  const types = [...graph.values, ...known.map((input) => ({ ...input, name: viewed.get(input.name)! }))];
  const whole = { ...graph, nodes, initialisers, values: types };
  const inferred = inferredShapes(whole);
  const needed = neededShapes(whole, inferred);
  const values = types
    .filter(({ name }) => needed.has(name))
    .map((value) => ({ ...value, shape: inferred.get(value.name)! }));
  return { ...model, graph: { ...whole, inputs: [...graph.inputs, ...added], values } };
}

function viewOf({ name, shape }: ValueInfo): { readonly node: OnnxNode; readonly target: Initialiser } {
  const sizes = shape.map((size) => {
    if (typeof size !== 'number') throw new Error(`bug in crobc: the size ${size} of ${name} is not known`);
    return size;
  });
  const target: Initialiser = {
    name: `${name}:shape`,
    dtype: 'i64',
    dims: [sizes.length],
    source: { kind: 'data', tensor: tensor('i64', [sizes.length], sizes) },
    transposes: [],
    docs: '',
  };
  const title = `${name}:fed`;
  return {
    node: { name: title, op: 'Reshape', inputs: [name, target.name], outputs: [title], attributes: {}, docs: '' },
    target,
  };
}
