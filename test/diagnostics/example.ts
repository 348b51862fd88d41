import { check } from '../../compiler/check/check.ts';
import { compile } from '../../compiler/compile.ts';
import type { Diagnostic } from '../../compiler/diagnostics/diagnostic.ts';
import type { MessageRow } from '../../compiler/diagnostics/message-row.ts';
import { emitTorch } from '../../compiler/emit/torch/emit.ts';
import { checkLock } from '../../compiler/lock/check-lock.ts';
import { lockedModel } from '../../compiler/lock/lock.ts';
import { readLock } from '../../compiler/lock/lock-text.ts';
import { sha256 } from '../../runtime/files/text-hash.ts';
import { memoryHost } from '../memory-host.ts';

/** What is said of the example of a message, and of the lock file beside it. */
export function exampleDiagnostics({
  example,
  lock,
  torch,
}: Pick<MessageRow, 'example' | 'lock' | 'torch'>): readonly Diagnostic[] {
  const file = 'example.crob';
  if (torch !== undefined) return torchDiagnostics(example, torch);
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

/** What is said when a model is written for PyTorch. */
function torchDiagnostics(example: string, model: string): readonly Diagnostic[] {
  const file = 'example.crob';
  const compiled = compile(memoryHost({ [file]: example }), file, { model, dims: new Map(), overrides: [] });
  if (!compiled.model || !compiled.context) return compiled.diagnostics;
  const options = { weights: [], sourceName: (name: string) => name };
  const { diagnostics } = emitTorch(compiled.program, compiled.context, compiled.model, options);
  return [...compiled.diagnostics, ...diagnostics];
}

/** The text of a file of the example. */
export function exampleText({ example, lock }: Pick<MessageRow, 'example' | 'lock'>, file: string): string | undefined {
  if (file === 'example.crob') return example;
  return file === 'crob.lock' ? lock : memoryHost({}).read(file);
}
