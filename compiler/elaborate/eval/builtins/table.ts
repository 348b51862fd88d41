import { type InitialiserName, initialisers, isInitialiser } from '../../../ir/initialisers.ts';
import type { Val } from '../../context/elaborated.ts';
import { type NamedBuiltin, withNames } from './builtin.ts';
import { elementwise } from './elementwise.ts';
import { network } from './network.ts';
import { patternBuiltins } from './patterns.ts';

/** Every function that the language has from the start. */
export const builtins: ReadonlyMap<string, NamedBuiltin> = new Map(
  [...elementwise, ...network, ...patternBuiltins].map((builtin) => [builtin.name, withNames(builtin)]),
);

/** The function of a value of kind `builtin`, whose name is one of the table. */
export function builtinNamed(name: string): NamedBuiltin {
  const found = builtins.get(name);
  if (!found) throw new Error(`bug in crobc: there is no built-in function ${name}`);
  return found;
}

/** A bare initialiser, its arguments at their defaults: `zeros`. */
export function initialiser(name: string): Val | undefined {
  return isInitialiser(name) ? { kind: 'init', init: { name, args: defaults(name) } } : undefined;
}

function defaults(name: InitialiserName): Record<string, number> {
  const found: Record<string, number> = {};
  for (const arg of initialisers[name].arguments) if (arg.default !== undefined) found[arg.name] = arg.default;
  return found;
}
