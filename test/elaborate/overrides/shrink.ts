import type { Bench } from './bench.ts';
import { type Chain, chainOf } from './chain.ts';
import { type Finding, holdChain } from './hold.ts';
import { constantly } from './right-side.ts';

/** A finding of the same kind with as few lines, variants and readings as give one. */
export function shrunk(finding: Finding, bench: Bench): Finding {
  let smallest = finding;
  for (let next = smallerOf(smallest, bench); next; next = smallerOf(smallest, bench)) smallest = next;
  return smallest;
}

function smallerOf({ kind, chain }: Finding, bench: Bench): Finding | undefined {
  if (!chain) return undefined;
  for (const [levels, lines] of smallerThan(chain)) {
    const smaller = chainOf(chain.base, levels, lines, bench);
    const found = smaller && holdChain(smaller, bench).find((one) => one.kind === kind);
    if (found) return found;
  }
  return undefined;
}

function smallerThan({ levels, lines }: Chain): readonly (readonly [number, Chain['lines']])[] {
  const fewer = lines.length > 1 ? lines.map((_, i) => [levels, lines.filter((_, at) => at !== i)] as const) : [];
  const shorter = Array.from({ length: levels - 1 }, (_, gone) => {
    const nearer = lines.map((line) => (line.level > gone ? { ...line, level: line.level - 1 } : line));
    return [levels - 1, nearer] as const;
  });
  const literal = lines.flatMap((line, i) => {
    const constant = { ...line, right: constantly(line.value) };
    return line.right.reads.length > 0 ? [[levels, lines.map((one, at) => (at === i ? constant : one))] as const] : [];
  });
  return [...fewer, ...shorter, ...literal];
}
