import * as dims from '../../dims/dim.ts';
import { type Clause, Facts } from '../../dims/facts.ts';
import type { Call, Condition, Template } from '../context/elaborated.ts';
import { childPath } from '../context/paths.ts';
import { substituteClause } from '../eval/signature.ts';
import type { ModelGraph } from './model.ts';

/** A condition that the training sizes violate, with the path of the module that requires it. */
export interface BrokenCondition {
  readonly condition: Condition;
  /** With sizes substituted: `2 <= 1`. */
  readonly clause: Clause;
  readonly path: string;
}

/**
 * Returns the conditions of a model's modules that are checked only at training sizes (`Condition.atSizes`) and are
 * violated at these. Conditions on unbound dims are omitted.
 */
export function brokenAtSizes(model: ModelGraph, sizes: ReadonlyMap<string, number>): readonly BrokenCondition[] {
  const concerned = new Map<Template, boolean>();
  const concerns = (template: Template): boolean => {
    const known = concerned.get(template);
    if (known !== undefined) return known;
    concerned.set(template, false);
    const found =
      template.where.some(({ atSizes }) => atSizes) ||
      (template.body?.calls ?? []).some((call) => concerns(call.template));
    concerned.set(template, found);
    return found;
  };
  const broken: BrokenCondition[] = [];
  const visit = (calls: readonly Call[], by: ReadonlyMap<string, dims.Dim>, path: string): void => {
    for (const { template, dims: own, ...call } of calls) {
      if (!concerns(template)) continue;
      const inside = new Map([...own].map(([name, dim]) => [name, dims.substitute(dim, by)] as const));
      const below = call.absolute ? call.path : childPath(path, call.path);
      for (const condition of template.where) {
        if (!condition.atSizes) continue;
        const clause = substituteClause(condition.clause, inside);
        if (isGround(clause) && Facts.none.holds(clause).answer !== 'proved')
          broken.push({ condition, clause, path: below });
      }
      visit(template.body?.calls ?? [], inside, below);
    }
  };
  visit(model.calls, new Map([...sizes].map(([name, n]) => [name, dims.constant(n)])), '');
  return broken;
}

function isGround(clause: Clause): boolean {
  const sides = clause.kind === 'mod' ? [clause.value] : [clause.left, clause.right];
  return sides.every((side) => dims.asConstant(side) !== undefined);
}
