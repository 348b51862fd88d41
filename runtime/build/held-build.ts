import { join } from 'node:path';
import { type FileDigests, fileStamp } from '../files/file-digests.ts';
import { readText } from '../files/read-file.ts';
import { manifestName } from './manifest.ts';

/** A build that is there and whole. */
export interface HeldBuild {
  readonly onnx: string;
  /** Whether its files are still those that were looked at. */
  isUntouched(): Promise<boolean>;
}

/** The build in a folder, if it is of that identity and whole. */
export async function heldBuild(
  folder: string,
  model: string,
  identity: string,
  digests: FileDigests,
): Promise<HeldBuild | undefined> {
  try {
    const manifest = JSON.parse(await readText(join(folder, manifestName(model)), 'record')) as BuildRecord;
    if (manifest.hashes.build !== identity) return undefined;
    // The client plays no part in a run.
    const files = manifest.files.flatMap(({ name, sha256 }) =>
      name.endsWith('.ts') ? [] : [{ path: join(folder, name), sha256 }],
    );
    const look = () => Promise.all(files.map(({ path }) => fileStamp(path)));
    const stamps = await look();
    for (const { path, sha256 } of files) if ((await digests.of(path)) !== sha256) return undefined;
    return {
      onnx: join(folder, `${model}.onnx`),
      isUntouched: async () => (await look().catch(() => [])).join() === stamps.join(),
    };
  } catch {
    // No manifest, another one's, or files that are gone: no build to use.
    return undefined;
  }
}

/** What of a manifest is read here. */
interface BuildRecord {
  readonly hashes: { readonly build: string };
  readonly files: readonly { readonly name: string; readonly sha256: string }[];
}
