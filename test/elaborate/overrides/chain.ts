import type { Diagnostic } from '../../../compiler/diagnostics/diagnostic.ts';
import type { Draw } from '../../draws.ts';
import { type Bench, builtOf, type Outcome, type Source } from './bench.ts';
import { type Base, chainSource, type Line, type Valued } from './case.ts';
import { drawLine } from './draw-line.ts';
import { covers, isSeenBy, read } from './meaning.ts';
import { type ModelGraph, valueAt } from './places.ts';
import { same, type Value } from './value.ts';

/** A chain of variants of a shipped model: `model` is what its lines make with their values as literals. */
export interface Chain {
  readonly id: string;
  readonly base: Base;
  readonly baseModel: ModelGraph;
  readonly levels: number;
  /** In the order in which their values follow from each other. */
  readonly lines: readonly Valued[];
  readonly model: ModelGraph;
  /** What was said with the literals: warnings, as there is a model. */
  readonly said: readonly Diagnostic[];
}

/** A line that does not fit its chain, with what was said of it as a literal. */
export interface Misfit {
  readonly chain: Chain;
  readonly line: Valued;
  readonly source: Source;
  readonly outcome: Outcome;
}

export interface Drawing {
  /** Chains whose lines have the values that they had when they were drawn. */
  readonly chains: readonly Chain[];
  /** How many were given up, as a later line changed what an earlier one reads. */
  readonly unsettled: number;
  readonly misfits: readonly Misfit[];
}

/** Draws chains line by line, all of them at once, so that a round is one check. */
export function drawChains(draw: Draw, bases: readonly Base[], id: string, count: number, bench: Bench): Drawing {
  const plain = new Map([...new Set(bases)].map((base) => [base, plainModel(base, bench)]));
  const wanted = new Map<string, number>();
  let chains: readonly Chain[] = Array.from({ length: count }, (_, i) => {
    const base = draw.of(bases);
    const levels = draw.of([1, 1, 1, 2, 2, 3, 4]);
    wanted.set(`${id}_${i}`, 1 + draw.below(4));
    return startChain(`${id}_${i}`, base, plain.get(base)!, levels);
  });
  const misfits: Misfit[] = [];
  for (let round = 0; round < 6; round++) {
    const tried = chains.flatMap((chain) => {
      if (chain.lines.length >= wanted.get(chain.id)!) return [];
      const line = drawLine(draw, chain);
      return line ? [{ chain, line, source: literalSource(chain, chain.id, [...chain.lines, line]) }] : [];
    });
    const outcomes = bench(tried.map(({ source }) => source));
    const longer = new Map<Chain, Chain>();
    for (const { chain, line, source } of tried) {
      const outcome = outcomes.get(source.name)!;
      const next = withLine(chain, line, outcome);
      if (next) longer.set(chain, next);
      else misfits.push({ chain, line, source, outcome });
    }
    chains = chains.map((chain) => longer.get(chain) ?? chain);
  }
  const whole = chains.filter(({ lines }) => lines.length > 0);
  const settled = settledOf(whole, bench);
  return { chains: settled, unsettled: whole.length - settled.length, misfits };
}

/** A chain of given lines, whose values follow anew; undefined where they do not fit or do not settle. */
export function chainOf(base: Base, levels: number, lines: readonly Line[], bench: Bench): Chain | undefined {
  let chain = startChain('V', base, plainModel(base, bench), levels);
  for (const line of lines) {
    const value = line.right.compute(line.right.reads.map((steps) => valueAt(builtOf(chain.model), steps) ?? nothing));
    if (!value || value.kind === 'other') return undefined;
    const valued = { ...line, value };
    const source = literalSource(chain, chain.id, [...chain.lines, valued]);
    const longer = withLine(chain, valued, bench([source]).get(source.name)!);
    if (!longer) return undefined;
    chain = longer;
  }
  return settledOf([chain], bench)[0];
}

const nothing: Value = { kind: 'other' };

function plainModel(base: Base, bench: Bench): ModelGraph {
  const source = plainSource(base);
  const { model } = bench([source]).get(source.name)!;
  if (!model) throw new Error(`${base.file}: ${base.model} is not right by itself`);
  return model;
}

/** A variant that changes nothing. */
export function plainSource(base: Base): Source {
  const name = `Plain_${base.model}`;
  return { name, base, text: `model ${name} extends ${base.model} { }\n` };
}

function startChain(id: string, base: Base, model: ModelGraph, levels: number): Chain {
  return { id, base, baseModel: model, levels, lines: [], model, said: [] };
}

function withLine(chain: Chain, line: Valued, { model, said }: Outcome): Chain | undefined {
  return model && { ...chain, lines: [...chain.lines, line], model, said };
}

export function literalSource({ base, levels }: Chain, name: string, lines: readonly Valued[]): Source {
  return { name, base, text: chainSource(name, base, levels, lines) };
}

export function symbolicSource({ base, levels }: Chain, name: string, lines: readonly Valued[]): Source {
  const written = lines.map(({ value: _, ...line }) => line);
  return { name, base, text: chainSource(name, base, levels, written) };
}

/** Those of which no line reads what another one changed after it. */
function settledOf(chains: readonly Chain[], bench: Bench): readonly Chain[] {
  // What a line that reads its own path reads: the model without it and without nearer lines of the same path.
  const without = chains.flatMap((chain) =>
    chain.lines.flatMap((line, i) => {
      if (!line.right.reads.some((steps) => covers(line.steps, steps))) return [];
      const seen = chain.lines.filter((other) => isSeenBy(line, other));
      return [{ line, source: literalSource(chain, `${chain.id}_without_${i}`, seen) }];
    }),
  );
  const outcomes = bench(without.map(({ source }) => source));
  return chains.filter((chain) =>
    chain.lines.every((line) => {
      const own = without.find((one) => one.line === line);
      const below = own ? outcomes.get(own.source.name)!.model : chain.model;
      if (!below) return false;
      const values = read(line, builtOf(below), builtOf(chain.model));
      const value = line.right.compute(values.map((one) => one ?? nothing));
      return value !== undefined && same(value, line.value);
    }),
  );
}
