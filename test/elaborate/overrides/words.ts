import { librarySources } from '../../shipped.ts';
import { corners } from './corners.ts';

/** What the library's sources say of the words that stand for values: read from their text, as a user would. */

const whole = Object.entries({ ...librarySources, 'corners.crob': corners });

/** Where a name is declared: `max_pool` → `std.pooling`. */
export const declaredIn: ReadonlyMap<string, string> = new Map(
  whole.flatMap(([file, text]) =>
    [...text.matchAll(/^(?:module|fn|interface) (\w+)/gm)].map(([, name]) => [
      name!,
      file.replace('/', '.').replace('.crob', ''),
    ]),
  ),
);

/** The strings that a parameter is compared with: `context` → `tokens`, `channels`. */
export const choices: ReadonlyMap<string, readonly string[]> = grouped(
  whole.flatMap(([, text]) => [...text.matchAll(/\b(\w+) [!=]= "(\w+)"/g)].map(([, name, word]) => [name!, word!])),
);

const interfaces = new Set(
  whole.flatMap(([, text]) => [...text.matchAll(/^interface (\w+)/gm)].map(([, name]) => name!)),
);

/** The modules that may stand for each other: those of one interface. */
export const implementers: ReadonlyMap<string, readonly string[]> = grouped(
  whole.flatMap(([, text]) =>
    [...text.matchAll(/^module (\w+)\([^{]*?\): (\w+)/gm)]
      .filter(([, , name]) => interfaces.has(name!))
      .map(([, module, name]) => [name!, module!]),
  ),
);

/** Functions that may stand for each other. */
export const functions: readonly (readonly string[])[] = [
  ['adaptive_avg_pool', 'max_pool', 'average_pool'],
  ['sine_position', 'no_position'],
  ['relu', 'gelu', 'tanh', 'sigmoid'],
  ['zeros', 'ones'],
];

function grouped(pairs: readonly (readonly string[])[]): ReadonlyMap<string, readonly string[]> {
  const groups = new Map<string, string[]>();
  for (const [key, value] of pairs) {
    const group = groups.get(key!) ?? [];
    if (!group.includes(value!)) group.push(value!);
    groups.set(key!, group);
  }
  return groups;
}
