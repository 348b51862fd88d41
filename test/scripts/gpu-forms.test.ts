import { expect, test } from 'vitest';
import { drawn } from '../../bench/gpu/worker/form-case.ts';
import { allForms, formId } from '../../bench/gpu/worker/forms/all.ts';
import { type Form, FormGraph } from '../../bench/gpu/worker/forms/form.ts';
import { elementCount } from '../../compiler/ir/tensor-data.ts';
import { encodeOnnx } from '../../runtime/onnx/onnx-file.ts';
import { openEngine } from '../../runtime/ort/open-engine.ts';

/** Computes a form once. Inputs of one kind have the same elements, in whatever order a form has them. */
async function computed(form: Form): Promise<readonly Float32Array[]> {
  const graph = new FormGraph();
  form.write(graph);
  const engine = await openEngine('cpu');
  const model = await engine.open(await encodeOnnx(graph.model(), { read: () => new Float32Array() }), {
    threads: 1,
    planMemory: false,
  });
  const reads = Object.fromEntries(
    graph.given.map(({ name, dtype, shape, below }) => [
      name,
      { dtype, shape, data: drawn(dtype, elementCount(shape), below) },
    ]),
  );
  const results = graph.results.map(({ name, shape }) => {
    const data = new Float32Array(elementCount(shape));
    return { name, host: { dtype: 'f32', shape, data } as const };
  });
  const writes = Object.fromEntries(results.map(({ name, host }) => [name, host]));
  await model.bind({ inputs: {}, outputs: {}, reads, writes })({});
  await model.release();
  await engine.release();
  return results.map(({ host }) => host.data);
}

// The CPU has no kernels of half precision for most of the others.
const groups = groupBy(
  allForms('small').filter(({ onCuda }) => !onCuda),
  ({ what, size }) => `${what}, ${size}`,
);

test.each([...groups])('forms compute the same: %s', async (_, forms) => {
  const [first, ...others] = forms;
  const expected = await computed(first!);
  for (const form of others) {
    const found = await computed(form);
    // AdamW on many tensors has many outputs.
    const [joint, all] = [found, expected].map((one) => one.map(({ length }) => length).join());
    if (joint !== all) continue;
    for (const [i, tensor] of found.entries()) expect(farthest(tensor, expected[i]!), formId(form)).toBeLessThan(1e-4);
  }
});

/** The largest difference, as a part of the largest number. */
function farthest(found: Float32Array, expected: Float32Array): number {
  const largest = expected.reduce((most, number) => Math.max(most, Math.abs(number)), 0);
  expect(largest).toBeGreaterThan(0);
  return found.reduce((most, number, i) => Math.max(most, Math.abs(number - expected[i]!)), 0) / largest;
}

test('forms have names of their own, and read and write what they say', () => {
  for (const scale of ['full', 'small'] as const) {
    const forms = allForms(scale);
    expect(new Set(forms.map(formId)).size).toBe(forms.length);
    for (const { bytes, times } of forms) expect(Math.min(bytes, times)).toBeGreaterThan(0);
  }
});

function groupBy(forms: readonly Form[], keyOf: (form: Form) => string): ReadonlyMap<string, readonly Form[]> {
  const groups = new Map<string, Form[]>();
  for (const form of forms) groups.set(keyOf(form), [...(groups.get(keyOf(form)) ?? []), form]);
  return groups;
}
