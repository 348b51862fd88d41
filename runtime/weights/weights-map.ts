import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { UserError } from '../files/user-error.ts';
import { type ShapedValues, transformed } from '../tensors/tensor-transforms.ts';
import { bestFit, type MapFit, mapFit } from './map-fit.ts';
import { openTensorFile } from './open-tensors.ts';
import type { TensorFile } from './tensor-file.ts';
import {
  type FileWeights,
  hinted,
  type MissingHint,
  narrowedBy,
  type OpenOptions,
  ownFault,
  ownWeights,
} from './weights.ts';
import type { WantedWeight } from './weights-match.ts';

/**
 * Opens a published file as the weights of a model, with names and tensors converted by a weights map.
 * Weights are read and transformed on request. Throws a UserError that names what does not fit: weights without a
 * tensor, tensors that the map does not mention or that it maps to no weight of the model, and wrong shapes.
 */
export async function openMappedWeights(
  path: string,
  wanted: readonly WantedWeight[],
  map: PlacedMap,
  hint: MissingHint = {},
): Promise<FileWeights> {
  const file = await openTensorFile(path);
  return mappedWeights(file, wanted, mapFit(file.tensors, wanted, map), hint);
}

/** Uses an open file by a map as the weights of a graph; closes it if it does not fit. */
export async function mappedWeights(
  file: TensorFile,
  wanted: readonly WantedWeight[],
  fit: MapFit,
  { hint }: MissingHint,
): Promise<FileWeights> {
  const { origins, fault, map, missing } = fit;
  if (fault !== undefined) {
    await file.close();
    throw new UserError(
      `the weights in ${file.path} do not fit the model by the map ${map.name}: ${fault}${hinted(hint, missing)}`,
    );
  }
  const shapes = new Map(wanted.map(({ path, shape }) => [path, shape]));
  const used = new Set([...origins.values()].flatMap(({ sources }) => sources));
  return {
    file,
    unused: file.tensors.size - used.size,
    map: map.name,
    resized: fit.resized,
    skipped: fit.skipped.length,
    narrowed: narrowedBy(used),
    async read(weight) {
      const [origin, shape] = [origins.get(weight), shapes.get(weight)];
      if (!origin || !shape) throw new Error(`bug in crobc: no tensor was found for ${weight}`);
      const { rule, sources, index } = origin;
      let tensors: readonly ShapedValues[] = await Promise.all(
        sources.map(async (entry) => ({ shape: entry.shape, data: await file.float32(entry.name) })),
      );
      for (const transform of rule.transforms)
        tensors = transformed(tensors, transform, { parts: rule.to.length, wanted: shape });
      return tensors[index]!.data;
    },
    close: () => file.close(),
  };
}

/** The names that a file may have for the weights of a model. */
export interface FileNames extends Omit<OpenOptions, 'hint'> {
  /** The map to use; undefined to find out whether the file has crob's names or those of a known map. */
  readonly via?: PlacedMap | undefined;
  /** The maps to choose from. */
  readonly known: () => readonly PlacedMap[];
}

/**
 * Opens a file as weights of a model: by a given map, by crob's names, or by the known map that gives most weights.
 * Throws a UserError that names what does not fit.
 */
export async function openWeightsVia(
  path: string,
  wanted: readonly WantedWeight[],
  names: FileNames,
  hint: MissingHint = {},
): Promise<FileWeights> {
  if (names.via) return openMappedWeights(path, wanted, names.via, hint);
  const file = await openTensorFile(path);
  const fit = knownFit(file, wanted, names);
  return fit ? mappedWeights(file, wanted, fit, hint) : ownWeights(file, wanted, { ...names, ...hint });
}

/** Returns the known map by whose names a file is written; undefined if it fits by crob's names, or by no known ones. */
export async function knownMap(
  path: string,
  wanted: readonly WantedWeight[],
  names: Omit<FileNames, 'via'>,
): Promise<PlacedMap | undefined> {
  const file = await openTensorFile(path);
  try {
    return knownFit(file, wanted, names)?.map;
  } finally {
    await file.close();
  }
}

/**
 * Returns how a file fits by a known map; undefined if it fits by crob's names, or better by these. A published file may
 * have some of crob's names by chance: LAVT's backbone is called `backbone` too.
 */
export function knownFit(
  { tensors }: Pick<TensorFile, 'tensors'>,
  wanted: readonly WantedWeight[],
  { known, ...options }: Omit<FileNames, 'via'>,
): MapFit | undefined {
  if (ownFault(tensors, wanted, options) === undefined) return undefined;
  const own = wanted.filter(({ path }) => tensors.has(path)).length;
  const fit = bestFit(tensors, wanted, known());
  return fit && (fit.fault === undefined || fit.origins.size > own) ? fit : undefined;
}
