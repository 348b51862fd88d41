import { withKnownMap } from '../runtime/build/build-model.ts';
import type { CompiledFile } from '../runtime/build/source-model.ts';
import { openTensorFile } from '../runtime/weights/open-tensors.ts';
import { narrowedBy } from '../runtime/weights/weights.ts';
import type { Io } from './io.ts';
import { plural } from './messages.ts';
import { complain } from './print.ts';

/**
 * Returns the model with the map by whose names the file of `--weights` is written, if `--via` does not name one. Notes say
 * which it is, and whether numbers are rounded.
 */
export async function withPublishedNames(
  io: Io,
  compiled: CompiledFile,
  weights: string | false | undefined,
): Promise<CompiledFile> {
  if (typeof weights !== 'string') return compiled;
  const found = await withKnownMap(compiled, weights);
  const file = await openTensorFile(weights);
  await file.close();
  const narrowed = narrowedBy(file.tensors.values());
  if (narrowed > 0)
    complain(
      io,
      `note: ${plural(narrowed, 'tensor')} of ${weights} ${narrowed === 1 ? 'is' : 'are'} float64, which is rounded to float32`,
    );
  if (found.via && !compiled.via) complain(io, `note: ${weights} has the names of ${found.via.name}`);
  return found;
}
