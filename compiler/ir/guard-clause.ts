import type { Span } from '../../grammar/span.ts';
import type { Clause } from '../dims/clause.ts';
import { asConstant, constant } from '../dims/dim.ts';
import type { Guard } from './graph.ts';

/** Converts a clause to a guard, which is checked when the model runs; `text` is the source of the clause. */
export function guardOf(clause: Clause, text: string, span: Span): Guard {
  switch (clause.kind) {
    case 'mod': {
      const { value, modulus, remainder } = clause;
      return { text, left: value, relation: '%', right: constant(modulus), remainder, span };
    }
    case 'eq':
      return { text, left: clause.left, relation: '==', right: clause.right, span };
    case 'le':
      return { text, left: clause.left, relation: '<=', right: clause.right, span };
    case 'lt':
      return { text, left: clause.left, relation: '<', right: clause.right, span };
  }
}

/** Converts a guard to a clause; returns undefined if the modulus is not a constant. */
export function guardClause({ relation, left, right, remainder }: Guard): Clause | undefined {
  switch (relation) {
    case '==':
      return { kind: 'eq', left, right };
    case '<=':
      return { kind: 'le', left, right };
    case '<':
      return { kind: 'lt', left, right };
    case '%': {
      const modulus = asConstant(right);
      return modulus === undefined ? undefined : { kind: 'mod', value: left, modulus, remainder: remainder ?? 0 };
    }
  }
}
