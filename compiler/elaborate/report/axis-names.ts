import type { Value } from '../../ir/graph.ts';
import type { Scope } from '../context/scope.ts';

/** Default axis names by rank, for sizes without names. */
const usual: readonly string[] = ['', 'n', 'b c', 'b n c', 'b c h w', 'b c d h w'];

/** Returns a pattern name for each axis of a tensor: `b`, `c`, `h`, `w` if the sizes are B, C, H and W. */
export function axisNames({ facts }: Pick<Scope, 'facts'>, { type: { shape } }: Value): readonly string[] {
  const named = shape.map((dim) => /^[A-Z]\w*$/.exec(facts.show(dim))?.[0].toLowerCase());
  const taken = new Set(named);
  const free = [...(usual[shape.length]?.split(' ') ?? []), ...'abcdefghijklmnopqrstuvwxyz'].filter(
    (name) => name !== '' && !taken.has(name),
  );
  const given = new Set<string>();
  return named.map((name, i) => {
    const usualHere = usual[shape.length]?.split(' ')[i];
    const chosen =
      name !== undefined && !given.has(name)
        ? name
        : usualHere !== undefined && free.includes(usualHere) && !given.has(usualHere)
          ? usualHere
          : free.find((one) => !given.has(one))!;
    given.add(chosen);
    return chosen;
  });
}
