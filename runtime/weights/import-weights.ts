import { basename } from 'node:path';
import { isWithin } from '../../compiler/elaborate/context/paths.ts';
import type { WeightPart } from '../../compiler/elaborate/models/weight-parts.ts';
import type { PlacedMap } from '../../compiler/elaborate/weights/weights-map-places.ts';
import { nearest } from '../../grammar/nearest.ts';
import { UserError } from '../files/user-error.ts';
import { startProgress } from '../process/progress.ts';
import { type MapFit, mapFit, type Resized } from './map-fit.ts';
import { openTensorFile } from './open-tensors.ts';
import { writeSafetensors } from './safetensors.ts';
import type { TensorFile } from './tensor-file.ts';
import { type FileWeights, ownWeights } from './weights.ts';
import { type FileNames, knownFit, mappedWeights } from './weights-map.ts';
import type { WantedWeight } from './weights-match.ts';

/** The model for which weights are imported. */
export interface ImportModel {
  readonly name: string;
  readonly weights: readonly WantedWeight[];
  readonly parts: readonly WeightPart[];
  /** Returns the maps that apply within or around the paths of parts. */
  readonly knownMaps: (roots: readonly string[]) => readonly PlacedMap[];
}

export interface ImportOptions {
  /** The map of names; by default, crob's own names or the known map that gives most weights. */
  readonly map: string | undefined;
  /** The part of the model, by its path in recipes; by default, all parts that the map is for. */
  readonly to: string | undefined;
  /** Weights that the file may lack: parts as in recipes, or names in weights files with `*`. */
  readonly allowMissing: readonly string[];
}

export interface ImportReport {
  readonly file: string;
  readonly format: string;
  /** The map; null for crob's own names. */
  readonly map: string | null;
  readonly model: string;
  /** Paths of the weights from the file; those of them that are interpolated from another size. */
  readonly taken: readonly string[];
  readonly resized: readonly Resized[];
  /** Names of the tensors that a rule skips. */
  readonly skipped: readonly string[];
  /** Paths of the weights that the file lacks, which --allow-missing allows. */
  readonly leftInitial: readonly string[];
  /** Number of float64 tensors that are rounded to float32. */
  readonly narrowed: number;
  /** Number of weights of the whole model. */
  readonly weights: number;
}

/** An open file, and what of it is imported. */
export interface OpenImport {
  readonly report: ImportReport;
  /** Writes the weights with crob's names, one at a time. */
  write(out: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a file of tensors for a model and compares names, shapes and dtypes. Throws a UserError if weights are missing that
 * `allowMissing` does not name, if a tensor has no place, or if an option has no effect.
 */
export async function openImport(path: string, model: ImportModel, options: ImportOptions): Promise<OpenImport> {
  const file = await openTensorFile(path);
  try {
    return await fitted(file, model, options);
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function fitted(file: TensorFile, model: ImportModel, options: ImportOptions): Promise<OpenImport> {
  const roots = rootsOf(model, options.to);
  const within = model.weights.filter(({ path }) => roots.some((root) => isWithin(path, root)));
  const maps = model.knownMaps(roots);
  const declared = () => new Set(model.weights.map(({ path }) => path));
  const fit = chosenFit(file, within, { known: () => maps, declared, map: options.map });
  const wanted = fit ? within.filter(({ path }) => fit.map.places.some((place) => place.declared.has(path))) : within;
  const missing = new Set(
    fit
      ? mapFit(file.tensors, wanted, fit.map).missing
      : wanted.flatMap(({ path }) => (file.tensors.has(path) ? [] : [path])),
  );
  const left = allowed(options.allowMissing, missing, model);
  const given = wanted.filter(({ path }) => !left.has(path));
  const hint = (lacking: readonly string[]) => missingHint(lacking, given, maps);
  const opened = fit
    ? await mappedWeights(file, given, mapFit(file.tensors, given, fit.map), { hint })
    : await ownWeights(file, given, { declared, hint });
  return {
    report: {
      file: file.path,
      format: file.format,
      map: opened.map ?? null,
      model: model.name,
      taken: given.map(({ path }) => path),
      resized: opened.resized,
      skipped: fit?.skipped ?? [],
      leftInitial: [...left],
      narrowed: opened.narrowed,
      weights: model.weights.length,
    },
    write: (out) => write(out, given, opened),
    close: () => opened.close(),
  };
}

/** Returns what can be done about weights that the file lacks. */
function missingHint(
  lacking: readonly string[],
  given: readonly WantedWeight[],
  maps: readonly PlacedMap[],
): string | undefined {
  if (lacking.length === 0) return undefined;
  if (lacking.length === given.length) {
    const names = maps.map(({ name }) => name).join(', ');
    return names === '' ? undefined : `the known maps for these weights are ${names}`;
  }
  const patterns = [...new Set(lacking.map((path) => path.replace(/\d+/g, '*').replace(/\.[^.]*$/, '.*')))];
  return `what may be missing is named by --allow-missing, such as --allow-missing "${patterns[0]}"`;
}

/** Returns the paths of the part to which weights are imported. */
function rootsOf({ name, parts }: ImportModel, to: string | undefined): readonly string[] {
  if (to === undefined) return [''];
  const found = parts.find(({ pattern }) => [to, `${to}.*`, `${to}[*]`].includes(pattern));
  if (found) return found.roots;
  const patterns = parts.map(({ pattern }) => pattern.replace(/\.\*$/, ''));
  const meant = nearest(to, patterns) ?? patterns.filter((pattern) => !/[.[]/.test(pattern)).join(', ');
  throw new UserError(`${name} has no part ${to}; there is ${meant}`);
}

/** Returns how the file fits by the named or the best map; undefined if it has crob's own names. */
function chosenFit(
  file: TensorFile,
  wanted: readonly WantedWeight[],
  { map: name, ...names }: Omit<FileNames, 'via'> & { readonly map: string | undefined },
): MapFit | undefined {
  if (name === undefined) return knownFit(file, wanted, names);
  const maps = names.known();
  const map = maps.find((one) => one.name === name);
  if (map) return mapFit(file.tensors, wanted, map);
  const others = maps.map((one) => one.name);
  const meant = nearest(name, others) ?? others.join(', ');
  throw new UserError(`there is no weights map ${name} for these weights${meant === '' ? '' : `; there is ${meant}`}`);
}

/** Returns the missing weights that patterns allow. A pattern that names none of them has no effect and is refused. */
function allowed(
  patterns: readonly string[],
  missing: ReadonlySet<string>,
  { name, weights, parts }: ImportModel,
): ReadonlySet<string> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    const part = parts.find((one) => [pattern, `${pattern}.*`, `${pattern}[*]`].includes(one.pattern));
    const glob = new RegExp(`^${pattern.replace(/[\\^$.+?()[\]{}|]/g, '\\$&').replaceAll('*', '.*')}$`);
    const matches = (path: string) => part?.roots.some((root) => isWithin(path, root)) === true || glob.test(path);
    const selected = [...missing].filter(matches);
    if (selected.length === 0) {
      const known = weights.some(({ path }) => matches(path));
      const reason = known ? 'the file has these weights' : `${name} has no such weights`;
      throw new UserError(`--allow-missing ${pattern} has no effect: ${reason}`);
    }
    for (const path of selected) found.add(path);
  }
  return found;
}

async function write(out: string, given: readonly WantedWeight[], weights: FileWeights): Promise<void> {
  const progress = startProgress('weights', given.length);
  let written = 0;
  try {
    await writeSafetensors(
      out,
      given.map(({ path, shape }) => ({
        name: path,
        dtype: 'F32' as const,
        shape,
        data: () => {
          progress.update(++written);
          return weights.read(path);
        },
      })),
      { format: 'pt', source: basename(weights.file.path), ...(weights.map === undefined ? {} : { map: weights.map }) },
    );
  } finally {
    progress.finish();
  }
}
