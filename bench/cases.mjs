/**
 * What is measured against PyTorch: crobc's model, and the one of reference.py with the same name. Both get the same
 * weights and inputs. `inputs` draws them.
 */
export const cases = {
  'swin-b': { file: 'bench/models/backbones.crob', model: 'SwinBMaps', sizes: { H: 480, W: 480 } },
  'convnext-b': { file: 'bench/models/backbones.crob', model: 'ConvNeXtBMaps', sizes: { H: 480, W: 480 } },
  'bert-base': { file: 'bench/models/backbones.crob', model: 'BertWords', sizes: { T: 20 } },
  crobim: { file: 'models/crobim.crob', model: 'CroBIM', sizes: { H: 480, W: 480, T: 20 } },
  'crobim-micro': { file: 'models/crobim.crob', model: 'CroBIM_micro', sizes: { H: 128, W: 128, T: 20 } },
};

/**
 * What is trained: a recipe's model with its rates of dropout and drop path at 0, so that losses can be compared.
 * reference.py has those with the same names.
 */
export const trained = {
  'crobim-micro': {
    file: 'models/crobim.crob',
    model: 'CroBIM_micro',
    recipe: 'micro',
    dims: { B: 8, H: 128, W: 128, T: 20 },
    overrides: [],
  },
  'crobim-swin-t': {
    file: 'models/sizes.crob',
    model: 'CroBIM_SwinT',
    recipe: 'swint',
    dims: { B: 4, H: 224, W: 224, T: 20 },
    overrides: ['backbone.drop_path = 0.0', 'text.dropout = 0.0'],
  },
  crobim: { file: 'models/crobim.crob', model: 'CroBIM', recipe: 'paper' },
};

/** Word ids that every vocabulary of the cases has. */
const words = 2000;

/** Images and sentences with padding behind, one unless `B` says more, the same for the same case; only what `names` asks for. */
export function inputsOf({ sizes: { B = 1, H, W, T } }, names) {
  const draw = uniform(2410);
  const used = T && Math.ceil(T * 0.6);
  const all = {
    image: () => ({
      dtype: 'f32',
      shape: [B, 3, H, W],
      data: Float32Array.from({ length: B * 3 * H * W }, () => 3 * draw() - 1.5),
    }),
    tokens: () => ({
      dtype: 'i64',
      shape: [B, T],
      data: BigInt64Array.from({ length: B * T }, (_, i) => BigInt(i % T < used ? 1 + Math.floor(draw() * words) : 0)),
    }),
    mask: () => ({
      dtype: 'bool',
      shape: [B, T],
      data: Uint8Array.from({ length: B * T }, (_, i) => Number(i % T < used)),
    }),
    // A disc in each image, so that training has something to find.
    target: () => ({
      dtype: 'f32',
      shape: [B, 1, H, W],
      data: Float32Array.from({ length: B * H * W }, (_, i) =>
        Number(Math.hypot((i % W) - W / 2, (Math.floor(i / W) % H) - H / 2) < H / 4),
      ),
    }),
  };
  return Object.fromEntries(names.map((name) => [name, all[name]()]));
}

/** mulberry32: numbers in [0, 1) from a seed. */
function uniform(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
