import type { Overrides, Session } from './body.ts';
import { fail } from './report.ts';

/** What an override says of the i-th of a list: its own step, laid over `*`. */
export function listOverride(
  overrides: Overrides | undefined,
  i: number,
  length: number,
  session: Session,
): Overrides | undefined {
  if (!overrides) return undefined;
  for (const [step, node] of overrides.below) {
    if (node.used || step === '*') continue;
    const n = Number(step);
    if (!Number.isInteger(n))
      fail(
        { session },
        'CROB2301',
        node.span,
        { name: step, what: 'a list of modules' },
        { help: 'choose one with [0], or all with [*]' },
      );
    else if (n >= length) fail({ session }, 'CROB2310', node.span, { index: n, length });
    else continue;
    node.used = true;
  }
  const own = overrides.below.get(String(i));
  const all = overrides.below.get('*');
  if (own && all) return mergeOverrides(all, own);
  return own ?? all;
}

function mergeOverrides(under: Overrides, over: Overrides): Overrides {
  const below = new Map(under.below);
  for (const [step, node] of over.below) {
    const held = below.get(step);
    below.set(step, held ? mergeOverrides(held, node) : node);
  }
  return { value: over.value ?? under.value, below, span: over.span, used: true };
}
