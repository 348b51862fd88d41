import type { Builder } from '../graphs/builder.ts';
import { scalar } from '../graphs/scalar.ts';
import type { Value } from '../ir/graph.ts';
import { ofOne } from './rule.ts';

export const geluGradient = ofOne<'gelu'>(({ build, x, dy, attributes: { approximate } }) =>
  build.mul(dy, approximate ? slopeByTanh(build, x) : slopeByErf(build, x)),
);

/** Φ(x) + x·φ(x) = (1 + erf u)/2 + u·e^(ln(1/√π) - u²), for u = x/√2. */
function slopeByErf(build: Builder, x: Value): Value {
  const number = (value: number) => scalar(build, x, value);
  const u = build.mul(x, number(Math.SQRT1_2));
  const bell = build.exp(build.sub(number(-Math.log(Math.PI) / 2), build.mul(u, u)));
  const half = number(0.5);
  return build.add(build.add(build.mul(build.erf(u), half), half), build.mul(u, bell));
}

/** (1 + t)/2 · (1 + x·(1 - t)·k·(1 + 3a·x²)), for t = tanh(k·(x + a·x³)), k = √(2/π), a = 0.044715. */
function slopeByTanh(build: Builder, x: Value): Value {
  const number = (value: number) => scalar(build, x, value);
  const k = Math.sqrt(2 / Math.PI);
  const a = 0.044715;
  const square = build.mul(x, x);
  const line = (cubic: number) => build.mul(x, build.add(build.mul(square, number(cubic)), number(k)));
  const t = build.tanh(line(k * a));
  const bent = build.mul(line(3 * k * a), build.sub(number(1), t));
  const gate = build.mul(build.add(t, number(1)), number(0.5));
  return build.mul(gate, build.add(bent, number(1)));
}
