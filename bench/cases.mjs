/**
 * The cases that are compared with PyTorch: crobc's model, and the model of the same name in reference.py. Both get the
 * same weights and inputs. `inputs` draws the inputs.
 */
export const cases = {
  'swin-b': { file: 'bench/models/backbones.crob', model: 'SwinBMaps', sizes: { H: 480, W: 480 } },
  'convnext-b': { file: 'bench/models/backbones.crob', model: 'ConvNeXtBMaps', sizes: { H: 480, W: 480 } },
  'bert-base': { file: 'bench/models/backbones.crob', model: 'BertWords', sizes: { T: 20 } },
  crobim: { file: 'models/crobim.crob', model: 'CroBIM', sizes: { H: 480, W: 480, T: 20 } },
  'crobim-micro': { file: 'models/crobim.crob', model: 'CroBIM_micro', sizes: { H: 128, W: 128, T: 20 } },
};

/**
 * The models that are trained: each recipe's model with dropout and drop path rates of 0, so that losses can be
 * compared. reference.py has models of the same names.
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

/** Number of word ids to draw from; the vocabulary of every case is larger. */
const words = 2000;

/** The inputs in `names`: a batch of `B` (default 1) images, and sentences with padding at the end; deterministic. */
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
    // Each target is a disc, so that training has something to learn.
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
