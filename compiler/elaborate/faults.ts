import { type Diagnostic, diagnosticKey } from '../diagnostics/diagnostic.ts';
import type { Session } from './body.ts';

/** What is wrong with something, each fault once. */
export type Faults = ReadonlyMap<string, Diagnostic>;

/** A session whose messages are kept, to be told by whoever they concern. */
export function collecting(session: Session, into: Map<string, Diagnostic>): Session {
  return {
    ...session,
    report(d) {
      session.depth.reported++;
      const key = diagnosticKey(d);
      if (!into.has(key)) into.set(key, d);
    },
  };
}
