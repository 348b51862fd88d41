import type { Optimizer } from '../program/tree.ts';

/** A weight with what its optimizer holds, by PyTorch's formulas for one number at a time. */
export interface Learned {
  weight: Float64Array;
  moment: Float64Array;
  variance: Float64Array;
  average: Float64Array;
  readonly lr: number;
  readonly decay: number;
}

/** One step of `torch.optim.AdamW` or `torch.optim.SGD`, behind `clip_grad_norm_`, and before the moving average. */
export function optimize(
  weights: ReadonlyMap<string, Learned>,
  gradients: ReadonlyMap<string, ArrayLike<number>>,
  {
    optimizer,
    clip,
    ema,
    lr,
    step,
  }: {
    readonly optimizer: Optimizer;
    readonly clip: number | undefined;
    readonly ema: number | undefined;
    readonly lr: number;
    readonly step: number;
  },
): void {
  let squares = 0;
  for (const gradient of gradients.values())
    for (let i = 0; i < gradient.length; i++) squares += (gradient[i] ?? 0) ** 2;
  const scale = clip === undefined ? 1 : Math.min(1, clip / (Math.sqrt(squares) + 1e-6));
  for (const [path, one] of weights) {
    const gradient = gradients.get(path);
    if (!gradient) continue;
    const rate = lr * one.lr;
    for (let i = 0; i < one.weight.length; i++) {
      const [w, g] = [one.weight[i] ?? 0, scale * (gradient[i] ?? 0)];
      if (optimizer.kind === 'SGD') {
        const change = optimizer.momentum * (one.moment[i] ?? 0) + g + one.decay * w;
        one.moment[i] = change;
        one.weight[i] = w - rate * change;
      } else {
        const { beta1, beta2, eps } = optimizer;
        const m = beta1 * (one.moment[i] ?? 0) + (1 - beta1) * g;
        const v = beta2 * (one.variance[i] ?? 0) + (1 - beta2) * g * g;
        [one.moment[i], one.variance[i]] = [m, v];
        const corrected = Math.sqrt(v / (1 - beta2 ** step)) + eps;
        one.weight[i] = w - rate * one.decay * w - (rate * m) / (1 - beta1 ** step) / corrected;
      }
      if (ema !== undefined) one.average[i] = ema * (one.average[i] ?? 0) + (1 - ema) * (one.weight[i] ?? 0);
    }
  }
}
