import type { Anatomy } from '../../runtime/diff/anatomy.ts';
import { type ModelDifferences, shapeText } from '../../runtime/diff/differences.ts';
import type { GraphWeight } from '../../runtime/weights/graph-weights.ts';

/** The differences of two models as plain data. */
export function differencesJson(found: ModelDifferences): unknown {
  const { verdict, before, after, weights } = found;
  return {
    verdict,
    before: side(before),
    after: side(after),
    parts: found.parts.map(({ path, exchanged, before: old = null, after: now = null }) => ({
      path,
      exchanged,
      before: old,
      after: now,
    })),
    parameters: found.parameters.map(({ path, before: old = null, after: now = null, written, follows }) => ({
      path,
      before: old,
      after: now,
      written: written?.text ?? null,
      place: written?.place ?? null,
      follows,
    })),
    ports: found.ports.map(({ role, name, before: old = null, after: now = null }) => ({
      role,
      name,
      before: old,
      after: now,
    })),
    conditions: found.conditions,
    equations: found.equations,
    methods: found.methods,
    modules: found.modules.map(({ name, ownEquations, before: old = null, after: now = null }) => ({
      path: name,
      ownEquations,
      before: old,
      after: now,
    })),
    weights: {
      added: weights.added.map(listed),
      removed: weights.removed.map(listed),
      reshaped: weights.reshaped.map(({ path, before: old, after: now }) => ({
        path,
        before: shapeText(old),
        after: shapeText(now),
      })),
      initial: weights.initial,
    },
    operators: found.operators,
    carried: found.carried,
  };
}

function side({ model, file, hash, trainingHash, totals }: Anatomy) {
  return {
    model,
    file,
    hash,
    trainingHash,
    parameters: totals.parameters,
    flops: totals.flops,
    activationBytes: totals.activationBytes,
    peakActivationBytes: totals.peakActivationBytes ?? null,
  };
}

function listed(weight: GraphWeight) {
  return { path: weight.path, shape: shapeText(weight), role: weight.role };
}
