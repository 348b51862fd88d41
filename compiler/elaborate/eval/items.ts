import type { Span } from '../../../grammar/span.ts';
import type { ItemName, LetItemsStatement } from '../../../grammar/tree.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { error } from '../context/values.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import { declare } from './declare.ts';

/** The names of a `let (a, b) = …`. */
export interface Items {
  readonly names: readonly ItemName[];
  /** The span of the value. */
  readonly span: Span;
}

/** Declares the names of a `let (a, b) = …`. */
export function declareItems(scope: Scope, { names, value: { span } }: LetItemsStatement, value: Val): void {
  for (const [i, { name }] of names.entries()) {
    const earlier = names.slice(0, i).find((one) => one.name.name === name.name);
    if (earlier) {
      const notes = [{ span: earlier.name.span, text: 'first declared here' }];
      fail(scope, 'CROB2004', name.span, { name: name.name }, { notes });
    } else declare(scope, name, itemOf(scope, { names, span }, i, value));
  }
}

/**
 * Returns the value for the name at a position: the item of that name for a named tuple, the item at that position
 * for a list.
 */
export function itemOf(scope: Pick<Scope, 'context'>, { names, span }: Items, position: number, value: Val): Val {
  const { item, name } = names[position]!;
  switch (value.kind) {
    case 'error':
      return error;
    case 'tuple': {
      const found = value.items.get(item.name);
      if (found) return found;
      const known = [...value.items.keys()];
      const help = didYouMean(item.name, known) ?? `it has ${known.join(', ')}`;
      return fail(scope, 'CROB2005', item.span, { name: item.name, what: 'the tuple' }, { help });
    }
    case 'list': {
      if (value.items.length !== names.length) {
        const args = { names: names.length, items: value.items.length };
        return fail(scope, 'CROB2243', span, args);
      }
      if (item.name === name.name) return value.items[position]!;
      const help = 'the items of a list have no names: they are taken in order, `let (a, b) = …`';
      return fail(scope, 'CROB2005', item.span, { name: item.name, what: 'a list' }, { help });
    }
    default:
      return fail(scope, 'CROB2201', span, { expected: 'a named tuple or a list', actual: describe(value) });
  }
}
