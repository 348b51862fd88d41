import { openRun } from '../context/context.ts';
import { Program, type SourceHost } from '../source/program.ts';
import { readWeightsMap, type WeightsMap } from './weights-map.ts';

/** A weights map of the library. */
export interface LibraryMap extends WeightsMap {
  /** The module that it is for. */
  readonly target: string;
  /** The file that declares it: `std/swin.crob`. */
  readonly file: string;
}

/** Returns all weights maps of the library. */
export function libraryMaps(host: SourceHost): readonly LibraryMap[] {
  const program = new Program(host);
  const context = openRun(program, () => undefined, { training: false });
  return (host.library?.() ?? []).flatMap((file) => {
    const scope = program.load(file);
    return (scope?.tree.declarations ?? []).flatMap((decl) => {
      const map = scope && decl.kind === 'weights' ? readWeightsMap(context, decl, scope) : undefined;
      return map && decl.kind === 'weights' ? [{ ...map, target: decl.target.name, file }] : [];
    });
  });
}
