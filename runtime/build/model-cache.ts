import { join } from 'node:path';
import { defaultOpset } from '../../compiler/emit/onnx/emit.ts';
import type { Target } from '../../compiler/emit/onnx/profile.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { FileDigests } from '../files/file-digests.ts';
import { makeFolder } from '../files/make-folder.ts';
import { UserError } from '../files/user-error.ts';
import { requireDeviceFor } from '../ort/half-device.ts';
import { type Device, joined, openSession, type Session, type SessionOptions } from '../ort/session.ts';
import { weightsSha256 } from '../weights/open-tensors.ts';
import { buildIdentity } from './build-identity.ts';
import { buildModel, type Source, withKnownMap } from './build-model.ts';
import { type HeldBuild, heldBuild } from './held-build.ts';
import { builtAgainNote, deviceFor, profileOn, targetsElsewhere, targetsOn } from './own-profile.ts';

export interface CacheOptions {
  /** Output folder of the command. */
  readonly out: string;
  readonly dtype: Precision;
  /** Where it will run, which chooses the form of the graph; by default, the form for any implementation of ONNX. */
  readonly runsOn?: Device;
  /** A safetensors file; if undefined, initial weights are drawn from `seed`. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
  /** A subfolder of the cache, for builds that are not to replace those of the model as it is. */
  readonly apart?: string;
}

/**
 * Subfolder of the output folder for builds that commands make for their own use, apart from those of `crobc build`.
 */
const cacheFolder = 'model-cache';

/**
 * Opens a session of a model. Uses the build of `crobc build` in the output folder, or the one in the cache below it,
 * if it is of this model with these weights; else builds the model into the cache. A build is used only if its manifest
 * has the same identity and its files have the manifest's hashes. Throws a UserError for bf16 on a device that lacks it.
 */
export async function openBuilt(given: Source, options: CacheOptions, session: SessionOptions): Promise<Session> {
  await requireDeviceFor(options.dtype, session.device);
  const runsOn = await deviceFor(session.device);
  return openBuiltBy(
    given,
    { ...options, runsOn },
    {
      open: async ({ onnx }, notes) => {
        const opened = await openSession(onnx, { ...session, half: options.dtype === 'f16' });
        return { ...opened, note: joined([opened.note, ...notes]) };
      },
      release: (opened) => opened.release(),
    },
  );
}

/** How the files of a build are opened, and what was opened is released. */
export interface Opening<T> {
  /** The notes say why another build was not taken. */
  open(build: HeldBuild, notes: readonly string[]): Promise<T>;
  release(opened: T): Promise<void>;
}

/** Like `openBuilt`, for other ways to open a build. */
export async function openBuiltBy<T>(given: Source, options: CacheOptions, { open, release }: Opening<T>): Promise<T> {
  const { out, dtype, runsOn, weightsFile, seed, apart = '' } = options;
  const source = await withKnownMap(given, weightsFile);
  const profile = runsOn === undefined ? 'portable' : profileOn(runsOn);
  // A form of its own has a folder of its own, so that runs on another device leave it as it is.
  const cache = join(out, cacheFolder, apart, profile === 'portable' ? '' : profile);
  const digests = await FileDigests.open(join(cache, 'digests.json'));
  const identity = (target: Target) => identityOf(source, { ...options, profile: target }, digests);
  const { name } = source.graph;
  const built = async (candidates: readonly Target[]) => {
    for (const target of candidates) {
      const build = await heldBuild(out, name, await identity(target), digests);
      if (build) return { ...build, target };
    }
    return undefined;
  };
  const notes: string[] = [];
  await makeFolder(cache);
  // Another process may write the files between the check and the opening; then check again.
  for (let attempt = 0; attempt < 3; attempt++) {
    const own = await identity(profile);
    let found: HeldBuild | undefined =
      (await built(runsOn === undefined ? [profile] : targetsOn(runsOn))) ??
      (await heldBuild(cache, name, own, digests));
    if (!found) {
      const other = runsOn && (await built(targetsElsewhere(runsOn)));
      if (other) notes.splice(0, 1, builtAgainNote({ name, out, cache, target: other.target, device: runsOn }));
      const parts = { dtype, profile, weightsFile, seed, writeWeights: true, client: false };
      await buildModel(source, { out: cache, ...parts });
      found = await heldBuild(cache, name, own, digests);
    }
    await digests.save();
    if (!found) continue;
    try {
      const opened = await open(found, notes);
      if (await found.isUntouched()) return opened;
      await release(opened);
    } catch (error) {
      if (await found.isUntouched()) throw error;
    }
  }
  throw new UserError(
    `the model in ${cache} is written by someone else all the time: give each run a folder of its own (-o)`,
  );
}

/**
 * Returns a hash of everything that the results of a model depend on, wherever it runs: its graph, its weights, and crobc's
 * own code.
 */
export async function modelIdentity(source: Source, options: CacheOptions): Promise<string> {
  const digests = await FileDigests.open(join(options.out, cacheFolder, 'digests.json'));
  return identityOf(await withKnownMap(source, options.weightsFile), { ...options, profile: 'portable' }, digests);
}

async function identityOf(
  source: Source,
  { dtype, profile, weightsFile, seed }: CacheOptions & { readonly profile: Target },
  digests: FileDigests,
): Promise<string> {
  return buildIdentity({
    graph: graphHash(source.graph),
    expected: source.graph.expected,
    dtype,
    opset: defaultOpset,
    profile,
    weights:
      weightsFile === undefined
        ? { kind: 'initial', seed }
        : {
            kind: 'file',
            sha256: await weightsSha256(weightsFile, (file) => digests.of(file)),
            rules: source.via?.rules,
          },
  });
}
