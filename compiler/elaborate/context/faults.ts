import type { Diagnostic } from '../../diagnostics/diagnostic.ts';

/** Faults by `diagnosticKey`, each once. */
export type Faults = ReadonlyMap<string, Diagnostic>;
