import { check } from '../../compiler/check/check.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { checkLock } from '../../compiler/lock/check-lock.ts';
import { lockedModel } from '../../compiler/lock/lock.ts';
import { readLock } from '../../compiler/lock/lock-text.ts';
import { sha256 } from '../../runtime/files/text-hash.ts';
import { memoryHost } from '../memory-host.ts';

/** What is said of the example of a message, and of the lock file beside it. */
export function exampleDiagnostics({ example, lock }: Pick<MessageRow, 'example' | 'lock'>): readonly Diagnostic[] {
  const file = 'example.crob';
  const { diagnostics, models } = check(memoryHost({ [file]: example }), [file]);
  if (lock === undefined) return diagnostics;
  const read = readLock(lock);
  if (read.kind === 'fault') throw new Error(`line ${read.line} of a lock: ${read.message}`);
  const now = [...models.values()].map((model) => ({
    file,
    model: model.flat.name,
    name: model.flat.decl.name.span,
    locked: lockedModel(model, sha256),
  }));
  return [...diagnostics, ...checkLock(now, { name: 'crob.lock', entries: read.entries }, () => true)];
}

/** The text of a file of the example. */
export function exampleText({ example, lock }: Pick<MessageRow, 'example' | 'lock'>, file: string): string | undefined {
  if (file === 'example.crob') return example;
  return file === 'crob.lock' ? lock : memoryHost({}).read(file);
}
