import type { Clause } from '../../compiler/dims/facts.ts';
import { read } from './reading.ts';

/** `H % 32 == 0`, `T <= 512`, `C == 4*D`. */
export function clause(text: string): Clause {
  const [left, sign, right] = text.split(/ (==|<=|<) /) as [string, '==' | '<=' | '<', string];
  const modular = left.match(/^(.*) % (\d+)$/);
  if (modular && sign === '==') {
    return { kind: 'mod', value: read(modular[1]!), modulus: Number(modular[2]), remainder: Number(right) };
  }
  return { kind: ({ '==': 'eq', '<=': 'le', '<': 'lt' } as const)[sign], left: read(left), right: read(right) };
}

/** Clauses with commas between. */
export function where(text: string): Clause[] {
  return text === '' ? [] : text.split(', ').map(clause);
}
