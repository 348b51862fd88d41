import { type Diagnostic, isError } from '../diagnostics/diagnostic.ts';
import { inSourceOrder } from '../diagnostics/order.ts';
import type { FileCheck } from './check-files.ts';

/** Returns the diagnostics of the checks of several files. */
export function diagnosticsOf(
  checks: readonly Pick<FileCheck, 'diagnostics' | 'constructed' | 'unconstructed'>[],
): readonly Diagnostic[] {
  const found = checks.flatMap(({ diagnostics }) => diagnostics);
  // Errors may be why a module was not constructed.
  if (found.some(isError)) return inSourceOrder(found);
  const constructed = new Set(checks.flatMap((one) => [...one.constructed]));
  const warnings = checks.flatMap(({ unconstructed }) => [...unconstructed]);
  return inSourceOrder([...found, ...warnings.flatMap(([key, warning]) => (constructed.has(key) ? [] : [warning]))]);
}
