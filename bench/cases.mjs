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

/** Word ids that every vocabulary of the cases has. */
const words = 2000;

/** One image and one sentence with padding behind, the same for the same case; only what `names` asks for. */
export function inputsOf({ sizes: { H, W, T } }, names) {
  const draw = uniform(2410);
  const used = T && Math.ceil(T * 0.6);
  const all = {
    image: () => ({
      dtype: 'f32',
      shape: [1, 3, H, W],
      data: Float32Array.from({ length: 3 * H * W }, () => 3 * draw() - 1.5),
    }),
    tokens: () => ({
      dtype: 'i64',
      shape: [1, T],
      data: BigInt64Array.from({ length: T }, (_, i) => BigInt(i < used ? 1 + Math.floor(draw() * words) : 0)),
    }),
    mask: () => ({ dtype: 'bool', shape: [1, T], data: Uint8Array.from({ length: T }, (_, i) => Number(i < used)) }),
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
