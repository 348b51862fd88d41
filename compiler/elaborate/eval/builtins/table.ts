import { type InitialiserName, initialisers, isInitialiser } from '../../../ir/initialisers.ts';
import type { Val } from '../../context/elaborated.ts';
import { type NamedBuiltin, withNames } from './builtin.ts';
import { elementwise } from './elementwise.ts';
import { network } from './network.ts';
import { patternBuiltins } from './patterns.ts';

/** All built-in functions, by name. */
export const builtins: ReadonlyMap<string, NamedBuiltin> = new Map(
  [...elementwise, ...network, ...patternBuiltins].map((builtin) => [builtin.name, withNames(builtin)]),
);

/** Returns the built-in function of that name, which must be in the table. */
export function builtinNamed(name: string): NamedBuiltin {
  const found = builtins.get(name);
  if (!found) throw new Error(`bug in crobc: there is no built-in function ${name}`);
  return found;
}

/** Returns an initialiser with default arguments, such as `zeros`; undefined for any other name. */
export function initialiser(name: string): Val | undefined {
  return isInitialiser(name) ? { kind: 'init', init: { name, args: defaults(name) } } : undefined;
}

function defaults(name: InitialiserName): Record<string, number> {
  const found: Record<string, number> = {};
  for (const arg of initialisers[name].arguments) if (arg.default !== undefined) found[arg.name] = arg.default;
  return found;
}
