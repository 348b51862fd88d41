import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import { type Draw, draws } from '../../draws.ts';
import { type Bench, drawnFile } from './bench.ts';
import type { Base } from './case.ts';
import { plainSource } from './chain.ts';
import { type Finding, sayings, type Tally } from './hold.ts';
import { type Built, type Place, pathText, placesOf, type Step } from './places.ts';
import { hasLiteral, type Value } from './value.ts';

/** A path that is none, and why. */
interface BadPath {
  readonly text: string;
  readonly why: string;
  readonly value: string;
}

/** What stands at the places of a model: where a wrong step can be put. */
interface Spot {
  readonly steps: readonly Step[];
  readonly place: Place;
}

function spots(built: Built): readonly Spot[] {
  const found: Spot[] = [];
  const visit = (place: Place, steps: readonly Step[]): void => {
    found.push({ steps, place });
    if (place.kind === 'list') for (const [i, item] of place.items.entries()) visit(item, [...steps, i]);
    if (place.kind === 'part') for (const [name, part] of place.parts) visit(part, [...steps, name]);
  };
  for (const [name, place] of built.parts) visit(place, [name]);
  return found;
}

function drawBadPath(draw: Draw, built: Built): BadPath | undefined {
  const all = spots(built);
  const lists = all.filter(({ place }) => place.kind === 'list');
  const parts = all.flatMap(({ place, steps }) => (place.kind === 'part' ? [{ part: place, steps }] : []));
  const wanted = draw.below(10);
  const bad = (steps: readonly Step[], tail: string, why: string, value = '1'): BadPath => ({
    text: pathText(steps) + tail,
    why,
    value,
  });
  const aParam = (): { steps: readonly Step[]; name: string; value: Value } | undefined => {
    const { part, steps } = draw.of(parts);
    const params = [...part.params].filter(([, value]) => hasLiteral(value));
    if (params.length === 0) return undefined;
    const [name, value] = draw.of(params);
    return { steps, name, value };
  };
  /** A path goes on below the wrong step as it would below a right one. */
  const below = (place: Place): string => {
    if (place.kind === 'list') return place.items[0] ? below(place.items[0]) : '';
    const names = place.kind === 'part' ? [...place.params.keys()] : [];
    return names.length === 0 ? '.dim' : `.${draw.of(names)}`;
  };
  switch (wanted) {
    case 0:
    case 1: {
      if (lists.length === 0) return undefined;
      const { steps, place } = draw.of(lists);
      const length = place.kind === 'list' ? place.items.length : 0;
      const [index, why] = draw.of([
        [`[${length}]`, 'an index beyond the list'],
        [`[${length + 7}]`, 'an index beyond the list'],
        ['[-1]', 'a negative index'],
        ['[1.5]', 'an index that is no int'],
        ['["a"]', 'an index that is no int'],
        ['[true]', 'an index that is no int'],
      ] as const);
      return bad(steps, index + (draw.once(4) ? '' : below(place)), why, index + below(place) === index ? 'none' : '1');
    }
    case 2: {
      const flat = lists.filter(({ place }) => place.kind === 'list' && place.items[0]?.kind !== 'list');
      if (flat.length === 0) return undefined;
      const { steps, place } = draw.of(flat);
      return bad(
        steps,
        draw.of([`[0][0]${below(place)}`, `[*][*]${below(place)}`, `.dim`, `.items`]),
        'a step that a list does not have',
      );
    }
    case 3: {
      const { part, steps } = draw.of(parts);
      if (typeof steps.at(-1) === 'number') return undefined;
      return bad(
        steps,
        draw.of(['[0]', '[*]', '[-1]']) + (draw.once(2) ? '' : below(part)),
        'an index of what is no list',
      );
    }
    case 4: {
      const { steps, part } = draw.of(parts);
      const name = draw.of([...part.params.keys(), ...part.parts.keys(), 'weight']);
      const wrong = `${name}${draw.of(['s', 'x', '_'])}`;
      if (part.params.has(wrong) || part.parts.has(wrong)) return undefined;
      return bad(steps, `.${wrong}${draw.once(3) ? '.dim' : ''}`, 'a name that is none');
    }
    case 5: {
      const { steps, part } = draw.of(parts);
      const names = [...part.statics.keys()].filter((name) => !part.params.has(name));
      return names.length === 0 ? undefined : bad(steps, `.${draw.of(names)}`, 'a static that follows from parameters');
    }
    case 6:
    case 7: {
      const param = aParam();
      if (!param) return undefined;
      const { steps, name, value } = param;
      const step = draw.of(['[0]', '[*]', '.x', '[-1]', '.dim']);
      return bad(
        steps,
        `.${name}${step}`,
        value.kind === 'list' ? 'an item of a static list' : 'a step into a plain value',
      );
    }
    case 8: {
      const params = [...built.params.keys()];
      return params.length === 0
        ? undefined
        : bad([draw.of(params)], draw.of(['[0]', '.x', '[*]', '.dim.x']), 'a step into a plain value');
    }
    default: {
      const { steps } = draw.of(parts);
      const up = steps.slice(1);
      return typeof up[0] === 'string' && !built.parts.has(up[0]) && !built.params.has(up[0])
        ? bad(up, '.dim', 'a path whose beginning is left out')
        : undefined;
    }
  }
}

/** Paths that are none, each alone in a variant and by `--set`: all are refused, at the line. */
export function holdBadPaths(
  bases: readonly Base[],
  { seed, count }: { readonly seed: number; readonly count: number },
  tally: Tally,
  bench: Bench,
): Finding[] {
  const draw = draws(seed);
  const plain = new Map(
    bases.map((base) => [base, placesOf(bench([plainSource(base)]).get(plainSource(base).name)!.model!)]),
  );
  const tried = Array.from({ length: count }, (_, i) => {
    const base = draw.of(bases);
    const path = drawBadPath(draw, plain.get(base)!);
    const name = `P${seed}_${i}`;
    const text = path && `model ${name} extends ${base.model} {\n  ${path.text} = ${path.value}\n}\n`;
    return text ? [{ base, path, source: { name, base, text } }] : [];
  }).flat();
  const outcomes = bench(tried.map(({ source }) => source));
  return tried.flatMap(({ base, path, source }): Finding[] => {
    const { model, said, start } = outcomes.get(source.name)!;
    const from = start + source.text.indexOf('\n');
    const isAt = ({ file, start: at }: Diagnostic['span']) =>
      file === drawnFile && from <= at && at < start + source.text.length;
    const isBlamed = said.some(({ severity, span }) => severity === 'error' && isAt(span));
    const finding = (kind: string) => ({
      kind: `${path.why} ${kind}`,
      chain: undefined,
      source: source.text,
      detail: sayings(said),
    });
    const isSet =
      draw.once(4) && bench.withSettings(plainSource(base), [`${path.text}=${path.value}`]).graph !== undefined;
    if (!model && isBlamed) tally.badPaths++;
    return [
      ...(model ? [finding('is accepted')] : isBlamed ? [] : [finding('is refused, and not at the line')]),
      ...(isSet ? [finding('is accepted by --set')] : []),
    ];
  });
}
