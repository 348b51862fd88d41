import type { Value } from '../../ir/graph.ts';
import { groupedBy } from '../../lists.ts';
import { numberOf } from '../match.ts';
import { type Failure, match, type Place } from './match.ts';
import type { Form, Surroundings } from './pattern.ts';
import { partText } from './text.ts';

/** Why patterns do not match a value: what the nearest of them still needs, and what it found instead. */
export interface Miss {
  /** `0 as an operand of add`, `that the reciprocal is exact`. */
  readonly needs: string;
  /** `conv2d`, `the number 3`, `read by 2`. */
  readonly has: string;
  /** The value in question. */
  readonly at: Value;
}

/**
 * Returns the miss of the pattern, and of the way to match it, that got furthest; undefined if one of the patterns
 * matches.
 */
export function nearestMiss(forms: readonly Form[], value: Value, around: Surroundings): Miss | undefined {
  let nearest: readonly Failure[] = [];
  let most = -1;
  for (const form of forms) {
    const found = match(form, value, around, (failure, matched) => {
      if (matched > most) nearest = [failure];
      else if (matched === most) nearest = [...nearest, failure];
      most = Math.max(most, matched);
    });
    if (found !== undefined) return undefined;
  }
  const [first] = nearest;
  if (first === undefined) return undefined;
  return {
    needs: needsText(nearest),
    has: distinct(nearest.map((failure) => hasText(failure, around))).join(' and '),
    at: first.value,
  };
}

/** Describes what would satisfy one of several failures that are equally near: `1 or -1 as an operand of mul`. */
function needsText(failures: readonly Failure[]): string {
  const wanted = groupedBy(failures.map(needOf), ({ behind }) => behind);
  const texts = [...wanted].map(
    ([behind, needs]) => `${distinct(needs.map(({ what }) => what)).join(' or ')}${behind}`,
  );
  return distinct(texts).join(', or ');
}

function needOf(failure: Failure): { readonly what: string; readonly behind: string } {
  switch (failure.kind) {
    case 'condition':
      return { what: `that ${failure.condition.text}`, behind: '' };
    case 'read-elsewhere':
      return { what: `that nothing else reads ${failure.place ? operandText(failure.place) : 'it'}`, behind: '' };
    case 'form': {
      const { form, place } = failure;
      const what = form.kind === 'named' ? `the same ${form.name}` : partText(form);
      return { what, behind: place ? ` as ${operandText(place)}` : '' };
    }
  }
}

function hasText({ kind, value }: Failure, { uses }: Surroundings): string {
  const number = numberOf(value);
  const content = number === undefined ? value.node.op : `the number ${number}`;
  return kind === 'read-elsewhere' ? `${content}, read by ${uses(value)}` : content;
}

function distinct(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)];
}

/** `operand 2 of div`; `an operand of mul` if the operator commutes; `the operand` for one of several operators. */
function operandText({ form, value, operand }: NonNullable<Place>): string {
  if (form.kind !== 'node') return 'a factor';
  const of = form.ops.size === 1 ? ` of ${value.node.op}` : '';
  switch (form.operands.kind) {
    case 'in-order':
      return form.operands.forms.length === 1 ? `the operand${of}` : `operand ${operand + 1}${of}`;
    case 'each':
      return `each operand${of}`;
    case 'either-order':
    case 'some':
    case 'any':
      return `an operand${of}`;
  }
}
