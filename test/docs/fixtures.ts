import { zipBytes } from '../runtime/weights/zip-bytes.ts';

/** Files of others that the commands of a page read, by their names. Their tensors are all zeros. */
export const fixtures: Readonly<Record<string, () => Buffer>> = {
  'swin_tiny_patch4_window7_224.pth': () => checkpoint('model', new Map(swinTiny())),
};

type Named = readonly [name: string, shape: readonly number[], type?: 'Float' | 'Long'];

/** The names and shapes in Microsoft's checkpoint of Swin-T for 224 × 224 images. */
function* swinTiny(): Generator<readonly [string, Omit<Tensor, 'name'>]> {
  for (const [name, shape, type = 'Float'] of swinTensors([2, 2, 6, 2], 96, 7, 56)) yield [name, { shape, type }];
}

function* swinTensors(depths: readonly number[], dim: number, window: number, side: number): Generator<Named> {
  yield ['patch_embed.proj.weight', [dim, 3, 4, 4]];
  yield ['patch_embed.proj.bias', [dim]];
  yield* pair('patch_embed.norm', [dim]);
  for (const [i, depth] of depths.entries()) {
    const [width, heads] = [dim * 2 ** i, 3 * 2 ** i];
    const windows = (side / 2 ** i / window) ** 2;
    for (let j = 0; j < depth; j++) {
      const block = `layers.${i}.blocks.${j}`;
      // Windows of the last stage are as large as its maps, so that none is shifted.
      if (j % 2 === 1 && windows > 1) yield [`${block}.attn_mask`, [windows, window ** 2, window ** 2]];
      yield* pair(`${block}.norm1`, [width]);
      yield [`${block}.attn.relative_position_bias_table`, [(2 * window - 1) ** 2, heads]];
      yield [`${block}.attn.relative_position_index`, [window ** 2, window ** 2], 'Long'];
      yield* pair(`${block}.attn.qkv`, [3 * width, width]);
      yield* pair(`${block}.attn.proj`, [width, width]);
      yield* pair(`${block}.norm2`, [width]);
      yield* pair(`${block}.mlp.fc1`, [4 * width, width]);
      yield* pair(`${block}.mlp.fc2`, [width, 4 * width]);
    }
    if (i === depths.length - 1) break;
    yield [`layers.${i}.downsample.reduction.weight`, [2 * width, 4 * width]];
    yield* pair(`layers.${i}.downsample.norm`, [4 * width]);
  }
  yield* pair('norm', [8 * dim]);
  yield* pair('head', [1000, 8 * dim]);
}

function* pair(name: string, shape: readonly number[]): Generator<Named> {
  yield [`${name}.weight`, shape];
  yield [`${name}.bias`, shape.slice(0, 1)];
}

interface Tensor {
  readonly shape: readonly number[];
  readonly type: 'Float' | 'Long';
}

/** A checkpoint as `torch.save({key: tensors})` writes it, but deflated. */
function checkpoint(key: string, tensors: ReadonlyMap<string, Tensor>): Buffer {
  const all = [...tensors].map(([name, tensor], i) => ({ name, storage: String(i), ...tensor }));
  const count = (shape: readonly number[]) => shape.reduce((product, n) => product * n, 1);
  const integers = (values: readonly number[]) => `(${values.map((n) => `I${n}\n`).join('')}t`;
  const items = all.map(({ name, storage, shape, type }) => {
    const strides = shape.map((_, axis) => count(shape.slice(axis + 1)));
    const id = `(${text('storage')}ctorch\n${type}Storage\n${text(storage)}${text('cpu')}I${count(shape)}\ntQ`;
    return `${text(name)}ctorch._utils\n_rebuild_tensor_v2\n(${id}I0\n${integers(shape)}${integers(strides)}I00\nNtR`;
  });
  const pickle = Buffer.from(`}${text(key)}}(${items.join('')}us.`, 'latin1');
  const widths = { Float: 4, Long: 8 };
  return zipBytes([
    { name: 'archive/data.pkl', data: pickle },
    ...all.map(({ storage, shape, type }) => ({
      name: `archive/data/${storage}`,
      data: Buffer.alloc(count(shape) * widths[type]),
      deflate: true,
    })),
  ]);
}

/** BINUNICODE. */
function text(value: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32LE(Buffer.byteLength(value));
  return `X${length.toString('latin1')}${value}`;
}
