import type { Draw } from '../../draws.ts';
import { builtOf } from './bench.ts';
import type { Valued } from './case.ts';
import type { Chain } from './chain.ts';
import { overlap } from './meaning.ts';
import { type Built, pathText, readable, type Settable, type Step, settable, valueAt } from './places.ts';
import { drawLiteral, drawReading, type RightSide } from './right-side.ts';

/** A line whose path and right side fit together, with its value by the model so far; undefined where the draw gives none. */
export function drawLine(draw: Draw, chain: Chain): Valued | undefined {
  const built = builtOf(chain.model);
  const level = draw.below(chain.levels);
  for (let attempt = 0; attempt < 20; attempt++) {
    const target = drawTarget(draw, built);
    const steps = withStar(draw, target.steps);
    const rivals = chain.lines.filter((line) => overlap(line.steps, steps));
    // Two lines of one variant that say `[*].a[0]` and `[0].a[*]` have no order between them.
    const isRival = (other: readonly Step[]) => pathText(other) === pathText(steps) || steps.includes('*');
    if (rivals.some((line) => line.level === level && isRival(line.steps))) continue;
    const isShadowed = rivals.some((line) => line.level >= level);
    const right = drawRight(draw, chain, target, isShadowed);
    const value = right?.compute(right.reads.map((from) => valueAt(built, from) ?? { kind: 'other' }));
    if (!right || !value || value.kind === 'other') continue;
    return { level, steps, right, place: draw.below(1000), value };
  }
  return undefined;
}

/** Paths of each depth come as often. */
function drawTarget(draw: Draw, built: Built): Settable {
  const all = settable(built);
  const depthOf = ({ steps }: Settable) => steps.filter((step) => typeof step === 'string').length;
  const depth = draw.of([...new Set(all.map(depthOf))]);
  return draw.of(all.filter((one) => depthOf(one) === depth));
}

function withStar(draw: Draw, steps: readonly Step[]): readonly Step[] {
  const lists = steps.flatMap((step, i) => (typeof step === 'number' ? [i] : []));
  if (lists.length === 0 || !draw.once(3)) return steps;
  const at = draw.of(lists);
  return steps.map((step, i) => (i === at || (typeof step === 'number' && draw.once(4)) ? '*' : step));
}

function drawRight(draw: Draw, { model, lines }: Chain, target: Settable, isShadowed: boolean): RightSide | undefined {
  const built = builtOf(model);
  const kind = draw.below(20);
  if (kind < 7) return drawLiteral(draw, target);
  // What a nearer line hides is not what stands there.
  if (kind < 13) return isShadowed ? undefined : drawReading(draw, target.value, target);
  const sources = readable(built).filter(({ steps }) => pathText(steps) !== pathText(target.steps));
  const near = sources.filter(({ steps }) => steps.length <= 2);
  // From a part with a line that reads this one, or that reads another part with such a line.
  const reading = lines.filter(({ right }) => right.reads.some(([first]) => first === target.steps[0]));
  const crossing = sources.filter(
    ({ steps, value }) =>
      value.kind === target.value.kind &&
      (reading.length > 0 ? reading : lines).some((line) => line.steps[0] === steps[0]),
  );
  if (kind < 17 && crossing.length > 0) return drawReading(draw, target.value, draw.of(crossing));
  return drawReading(draw, target.value, draw.of(draw.once(2) ? sources : near));
}
