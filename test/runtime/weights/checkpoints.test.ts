import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openTensorFile } from '../../../runtime/weights/open-tensors.ts';
import type { TensorFile } from '../../../runtime/weights/tensor-file.ts';

// The files are written by test/goldens/make-checkpoints.py: by PyTorch, numpy and Python's pickle.

const at = (name: string) => fileURLToPath(new URL(`../../goldens/checkpoints/${name}`, import.meta.url));

async function opened<T>(name: string, use: (file: TensorFile) => Promise<T>): Promise<T> {
  const file = await openTensorFile(at(name));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** Bytes, dtype and shape of every tensor, by name. */
async function contents(name: string): Promise<Record<string, unknown>> {
  return opened(name, async (file) => {
    const found: Record<string, unknown> = {};
    for (const { name, dtype, shape } of file.tensors.values())
      found[name] = [dtype, shape, Buffer.from(await file.bytes(name)).toString('hex')];
    return found;
  });
}

const expected = await contents('expected.safetensors');

function pick(names: readonly string[], prefix = ''): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, expected[prefix + name]]));
}

const types = [
  ...['f32', 'f64', 'f16', 'bf16', 'i64', 'i32', 'i16', 'i8', 'u8', 'u16', 'bool', 'scalar', 'empty', 'transposed'],
  ...['permuted', 'permuted half', 'repeated', 'rows', 'columns', 'whole', 'parameter', 'channels last'],
];
const net = [
  ...['fc.weight', 'fc.bias', 'norm.weight', 'norm.bias'],
  ...['norm.running_mean', 'norm.running_var', 'norm.num_batches_tracked'],
];

describe('every dtype and stride', () => {
  test('of PyTorch', async () => {
    const found = await contents('types.pt');
    expect(Object.keys(found)).toEqual(types);
    expect(found).toEqual(pick(types));
  });

  test('of PyTorch before 1.6', async () => {
    // That format has no 16-bit unsigned integers.
    expect(await contents('types-legacy.pt')).toEqual(pick(types.filter((name) => name !== 'u16')));
  });

  test('of numpy, with sizes and offsets of 64 bits', async () => {
    expect(readFileSync(at('arrays-64-bit.npz')).includes('PK\x06\x07')).toBe(true);
    expect(await contents('arrays-64-bit.npz')).toEqual(await contents('arrays.npz'));
  });

  test.each(['arrays.npz', 'arrays-packed.npz'])('of numpy: %s', async (name) => {
    const { large, ...found } = await contents(name);
    const names = ['f32', 'f64', 'f16', 'i64', 'u8', 'bool', 'scalar', 'empty', 'layer/permuted'];
    expect(found).toEqual(pick(names));
    if (name.includes('packed')) expect(large).toEqual(['F32', [64, 1024], '00'.repeat(4 * 64 * 1024)]);
  });
});

describe('a checkpoint of a training', () => {
  test.each(['training.pth', 'training-legacy.pth'])(
    '%s: the model without `module.`, and what stands beside it',
    async (name) => {
      expect(await contents(name)).toEqual(pick(net, 'net.'));
      const remarks = await opened(name, async (file) =>
        Object.fromEntries(file.remarks.map((one) => [one.name, one.text])),
      );
      expect(remarks).toMatchObject({
        weights: 'under "model"',
        names: 'all begin with "module.", which is removed',
        args: 'Namespace(model="lavt", lr=0.00005, window12=True, img_size=480, splits=["train", "val"], out=PurePosixPath("runs", "a"), seed=None)',
        epoch: '39',
        best: '0.75',
        tags: '{"a"}',
      });
      expect(remarks['optimizer.state']).toBeUndefined();
      expect(remarks.optimizer).toMatch(/^\{"state": \{0: /);
    },
  );

  test.each([3, 4, 5])('in protocol %i', async (protocol) => {
    expect(await contents(`protocol-${protocol}.bin`)).toEqual(pick(net, 'net.'));
  });

  test('without checksums', async () => {
    expect(await contents('unchecked.pth')).toEqual(pick(net, 'net.'));
  });

  test('with two models', async () => {
    expect(Object.keys(await contents('two.pth'))).toEqual([...net, 'bert_model.a.weight']);
  });
});

test.each(['model.safetensors.index.json', 'pytorch_model.bin.index.json'])('in several files: %s', async (name) => {
  expect(await contents(name)).toEqual(pick(net, 'net.'));
  expect(await opened(name, async (file) => file.format)).toMatch(/ in 2 files$/);
});

test.each([
  ['script.pt', 'it is a TorchScript program: save the state_dict() of the module instead'],
  [
    'module.pt',
    'its pickle refers to __main__.Net, which is not among the classes of tensors and settings, and crobc runs no code of a file: save only its state_dict()',
  ],
  [
    'complex.pt',
    'its pickle refers to torch.ComplexFloatStorage, which is not among the classes of tensors and settings, and crobc runs no code of a file',
  ],
  [
    'sparse.pt',
    'its pickle refers to torch._utils._rebuild_sparse_tensor, which is not among the classes of tensors and settings, and crobc runs no code of a file',
  ],
  ['list.pt', 'it holds a list without tensors by name'],
  ['objects.npz', '"objects" is an array of Python objects'],
  ['pickles.json', 'it is JSON without the weight_map of an index'],
])('%s is refused', async (name, reason) => {
  await expect(openTensorFile(at(name))).rejects.toThrow(`cannot read ${at(name)}: ${reason}`);
  expect(readFileSync(at(name)).length).toBeGreaterThan(0);
});
