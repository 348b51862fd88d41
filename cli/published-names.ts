import { withKnownMap } from '../runtime/build/build-model.ts';
import type { CompiledFile } from '../runtime/build/source-model.ts';
import type { Io } from './io.ts';
import { complain } from './print.ts';

/**
 * Returns the model with the map by whose names the file of `--weights` is written, if `--via` does not name one; a note says
 * which it is.
 */
export async function withPublishedNames(
  io: Io,
  compiled: CompiledFile,
  weights: string | false | undefined,
): Promise<CompiledFile> {
  if (typeof weights !== 'string') return compiled;
  const found = await withKnownMap(compiled, weights);
  if (found.via && !compiled.via) complain(io, `note: ${weights} has the names of ${found.via.name}`);
  return found;
}
