import { join } from 'node:path';
import { type FileDigests, fileStamp } from '../files/file-digests.ts';
import { parseJson } from '../files/parse-json.ts';
import { readText } from '../files/read-file.ts';
import { manifestName } from './manifest.ts';

/** A complete build on disk. */
export interface HeldBuild {
  readonly onnx: string;
  readonly manifest: string;
  /** Whether the files have not changed since they were checked. */
  isUntouched(): Promise<boolean>;
}

/** Returns the build in a folder if it has the given identity and all its files match the manifest's hashes. */
export async function heldBuild(
  folder: string,
  model: string,
  identity: string,
  digests: FileDigests,
): Promise<HeldBuild | undefined> {
  try {
    const manifest = parseJson(await readText(join(folder, manifestName(model)), 'record')) as BuildRecord;
    if (manifest.hashes.build !== identity) return undefined;
    // The client is not needed to run a model.
    const files = manifest.files.flatMap(({ name, sha256 }) =>
      name.endsWith('.ts') ? [] : [{ path: join(folder, name), sha256 }],
    );
    const look = () => Promise.all(files.map(({ path }) => fileStamp(path)));
    const stamps = await look();
    for (const { path, sha256 } of files) if ((await digests.of(path)) !== sha256) return undefined;
    return {
      onnx: join(folder, `${model}.onnx`),
      manifest: join(folder, manifestName(model)),
      isUntouched: async () => (await look().catch(() => [])).join() === stamps.join(),
    };
  } catch {
    // The manifest is missing or of another kind, or files are missing: there is no usable build.
    return undefined;
  }
}

/** The members of a manifest that are read here. */
interface BuildRecord {
  readonly hashes: { readonly build: string };
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}
