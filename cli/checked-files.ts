import type { FileCheck } from '../compiler/check/check-files.ts';
import type { SourceText } from '../compiler/diagnostics/render-terminal.ts';
import type { FoundFiles } from '../runtime/files/crob-files.ts';
import { cannotRead, diskHost } from '../runtime/files/source-host.ts';

/** The checks of files, and the files for which there are none. */
export interface CheckedFiles extends FoundFiles {
  readonly checks: readonly FileCheck[];
}

/** Checks all readable files; an unreadable file is reported and does not stop the others. */
export async function checkOnce(found: FoundFiles): Promise<CheckedFiles> {
  // Loaded only here, as a check may find all results in its cache.
  const { check } = await import('../compiler/check/check.ts');
  const { checks, missing } = check(diskHost(), found.files);
  return withUnread(found, checks, missing);
}

/** Adds why files could not be read. */
export function withUnread(
  { files, unusable }: FoundFiles,
  checks: readonly FileCheck[],
  missing: readonly string[],
): CheckedFiles {
  const unread = missing.map((path) => [path, cannotRead(path)] as const);
  return { checks, files, unusable: new Map([...unusable, ...unread]) };
}

/** Returns a function that gives the text of a file that the checks read. */
export function textsOf(checks: readonly FileCheck[]): SourceText {
  const texts = new Map(checks.flatMap((one) => [...one.texts]));
  return (file) => texts.get(file);
}
