import { join } from 'node:path';
import { defaultOpset } from '../../compiler/emit/onnx/emit.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { FileDigests } from '../files/file-digests.ts';
import { makeFolder } from '../files/make-folder.ts';
import { UserError } from '../files/user-error.ts';
import { openSession, type Session, type SessionOptions } from '../ort/session.ts';
import { buildIdentity } from './build-identity.ts';
import { buildModel, type Source } from './build-model.ts';
import { heldBuild } from './held-build.ts';

export interface CacheOptions {
  /** The output folder of the command. */
  readonly out: string;
  readonly dtype: Precision;
  /** safetensors; initial weights drawn from `seed` when undefined. */
  readonly weightsFile: string | undefined;
  readonly seed: number;
}

/** Below the output folder: what commands build for themselves stays out of the way of `crobc build`. */
const cacheFolder = 'model-cache';

/**
 * A session of a model: of what `crobc build` has left in the output folder, or of the cache below it, where one of the two is
 * this very model with these weights, else of the model built anew into the cache. A build counts when its manifest names the
 * same identity and its files have the manifest's hashes.
 */
export async function openBuilt(source: Source, options: CacheOptions, session: SessionOptions): Promise<Session> {
  const { out, dtype, weightsFile, seed } = options;
  const cache = join(out, cacheFolder);
  const digests = await FileDigests.open(join(cache, 'digests.json'));
  const identity = buildIdentity({
    graph: graphHash(source.graph),
    dtype,
    opset: defaultOpset,
    weights:
      weightsFile === undefined
        ? { kind: 'initial', seed }
        : { kind: 'file', sha256: await digests.of(weightsFile), rules: source.via?.rules },
  });
  const { name } = source.graph;
  await makeFolder(cache);
  // Whoever else writes there may do so between the look at the files and the session: then they are looked at again.
  for (let attempt = 0; attempt < 3; attempt++) {
    let found = (await heldBuild(out, name, identity, digests)) ?? (await heldBuild(cache, name, identity, digests));
    if (!found) {
      await buildModel(source, { out: cache, dtype, weightsFile, seed, writeWeights: true, client: false });
      found = await heldBuild(cache, name, identity, digests);
    }
    await digests.save();
    if (!found) continue;
    try {
      const opened = await openSession(found.onnx, { ...session, half: dtype === 'f16' });
      if (await found.isUntouched()) return opened;
      await opened.release();
    } catch (error) {
      if (await found.isUntouched()) throw error;
    }
  }
  throw new UserError(
    `the model in ${cache} is written by someone else all the time: give each run a folder of its own (-o)`,
  );
}
