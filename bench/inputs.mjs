/** Number of word ids to draw from; the vocabulary of every model is larger. */
const words = 2000;

/**
 * Inputs of referring models by their names: images, sentences with padding at the end, and targets. Deterministic, and
 * a smaller batch is the beginning of a larger one.
 */
export function inputsOf(names, { B = 1, H = 0, W = 0, T = 0 }) {
  const used = Math.ceil(T * 0.6);
  const makers = {
    image: () => {
      const draw = uniform(2410);
      const data = Float32Array.from({ length: B * 3 * H * W }, () => 3 * draw() - 1.5);
      return { dtype: 'f32', shape: [B, 3, H, W], data };
    },
    tokens: () => {
      const draw = uniform(8613);
      const id = (at) => BigInt(at < used ? 1 + Math.floor(draw() * words) : 0);
      return { dtype: 'i64', shape: [B, T], data: BigInt64Array.from({ length: B * T }, (_, i) => id(i % T)) };
    },
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
  return Object.fromEntries(
    names.map((name) => {
      const make = makers[name];
      if (make === undefined) throw new Error(`no inputs are drawn for ${name}`);
      return [name, make()];
    }),
  );
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
