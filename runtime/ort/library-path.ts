import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { packageRoot } from '../files/package-root.ts';
import { readTextSync } from '../files/read-file.ts';

export interface OnnxRuntimeLibrary {
  readonly path: string;
  readonly version: string;
}

/**
 * The library that onnxruntime-node itself loads, so that a process has it once; undefined if it is not installed for
 * this system.
 */
export function onnxRuntimeLibrary(): OnnxRuntimeLibrary | undefined {
  let entry: string;
  try {
    entry = createRequire(join(packageRoot(), 'package.json')).resolve('onnxruntime-node');
  } catch {
    return undefined;
  }
  for (let at = dirname(entry); dirname(at) !== at; at = dirname(at)) {
    const bin = join(at, 'bin');
    if (!existsSync(bin)) continue;
    for (const api of readdirSync(bin)) {
      const folder = join(bin, api, process.platform, process.arch);
      const name = existsSync(folder) ? readdirSync(folder).find((file) => libraryName.test(file)) : undefined;
      if (name === undefined) continue;
      const { version } = JSON.parse(readTextSync(join(at, 'package.json'), 'record')) as { readonly version: string };
      return { path: join(folder, name), version };
    }
  }
  return undefined;
}

const libraryName = /^(libonnxruntime\.so\.1|libonnxruntime\.1\.dylib|onnxruntime\.dll)$/;
