// Lines of `metrics.jsonl` as the source of the picture of a training.

/**
 * Removes what depends on the machine's speed from lines of `metrics.jsonl`; the result is the source of the picture.
 */
export function withoutTimes(text) {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return lines
    .map(({ seconds: _, samples_per_second: __, gradient_norm: ___, terms: ____, ...rest }) => JSON.stringify(rest))
    .join('\n')
    .concat('\n');
}

/** Replaces the losses of each `count` steps by their mean, at the last of these steps. */
export function thinned(text, count) {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const sum = { loss: 0, steps: 0 };
  return lines
    .flatMap((line) => {
      if (line.mIoU !== undefined) return [line];
      sum.loss += line.loss;
      sum.steps++;
      if (line.step % count !== 0) return [];
      const loss = Math.round((sum.loss / sum.steps) * 1e6) / 1e6;
      sum.loss = 0;
      sum.steps = 0;
      return [{ ...line, loss }];
    })
    .map((line) => `${JSON.stringify(line)}\n`)
    .join('');
}
