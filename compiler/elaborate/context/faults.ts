import { type Diagnostic, diagnosticKey } from '../../diagnostics/diagnostic.ts';
import type { Context } from './scope.ts';

/** What is wrong with something, each fault once. */
export type Faults = ReadonlyMap<string, Diagnostic>;

/** A context whose messages are kept, to be told by whoever they concern. */
export function collecting(context: Context, into: Map<string, Diagnostic>): Context {
  return {
    ...context,
    report(d) {
      context.depth.reported++;
      const key = diagnosticKey(d);
      if (!into.has(key)) into.set(key, d);
    },
  };
}
