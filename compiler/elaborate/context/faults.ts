import type { Diagnostic } from '../../diagnostics/diagnostic.ts';

/** What is wrong with something, each fault once, by `diagnosticKey`. */
export type Faults = ReadonlyMap<string, Diagnostic>;
