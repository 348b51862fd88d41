import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { MapRule } from '../../compiler/elaborate/weights/weights-map.ts';
import { opTableVersion } from '../../compiler/ops/version.ts';
import type { Precision } from '../../compiler/passes/pipeline.ts';
import { builtFolder, packageRoot, runsFromSources } from '../files/package-root.ts';
import { readBytesSync } from '../files/read-file.ts';

/** What decides a model file: builds of one identity run the same. */
export interface BuildParts {
  /** The graph's hash, sizes that were bound included. */
  readonly graph: string;
  readonly dtype: Precision;
  readonly opset: number;
  readonly weights: WeightsIdentity;
}

export type WeightsIdentity =
  | { readonly kind: 'none' }
  | { readonly kind: 'initial'; readonly seed: number }
  | {
      readonly kind: 'file';
      /** Of the file's bytes. */
      readonly sha256: string;
      /** By which its names are read, where they are published ones. */
      readonly rules: readonly MapRule[] | undefined;
    };

/** One hash of all that goes into a build, and of the code that makes it. */
export function buildIdentity(parts: BuildParts): string {
  const { graph, dtype, opset, weights } = parts;
  const all = JSON.stringify({ code: codeHash(), opTable: opTableVersion, opset, dtype, graph, weights });
  return createHash('sha256').update(all).digest('hex');
}

let code: string | undefined;

/** Of crobc's own code that comes between a graph and its files: two states of it need not give the same. */
function codeHash(): string {
  if (code === undefined) {
    const hash = createHash('sha256');
    for (const file of codeFiles().sort()) hash.update(`${basename(file)}\n`).update(readBytesSync(file, 'record'));
    code = hash.digest('hex');
  }
  return code;
}

/** The sources of the compiler and the runtime; where crobc is built, the whole bundle, as any of its files may hold parts of them. */
function codeFiles(): string[] {
  const files = (folder: string, extension: string) =>
    readdirSync(folder, { recursive: runsFromSources, encoding: 'utf8' })
      .filter((name) => name.endsWith(extension))
      .map((name) => join(folder, name));
  if (!runsFromSources) return files(builtFolder(), '.cjs');
  return ['compiler', 'runtime'].flatMap((folder) => files(join(packageRoot(), folder), '.ts'));
}
