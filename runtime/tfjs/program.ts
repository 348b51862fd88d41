import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type * as Tfjs from '@tensorflow/tfjs-core';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { makeFolder } from '../files/make-folder.ts';

export type TensorFlow = typeof Tfjs;
export type Tensor = Tfjs.Tensor;
export type Constants = Readonly<Record<string, Tensor>>;
export type State = Map<string, Tensor>;
/** A function of a generated program. */
export type TfjsCall = (
  tf: TensorFlow,
  state: State,
  constants: Constants,
  feeds: Readonly<Record<string, Tensor>>,
) => Readonly<Record<string, Tensor>>;

export interface TfjsModule {
  makeConstants(tf: TensorFlow): Constants;
  call(name: string): TfjsCall;
}

/**
 * Loads generated TypeScript: writes it to `folder` as `<name>.ts`, removes its types into `<name>.mjs`, and imports
 * the latter. Throws a UserError if the folder cannot be written.
 */
export async function importProgram(text: string, folder: string, name: string): Promise<TfjsModule> {
  const { ts } = await import('ts-morph');
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true };
  const { outputText } = ts.transpileModule(text, { compilerOptions: options, fileName: `${name}.ts` });
  await makeFolder(folder);
  await writeFileAtomic(join(folder, `${name}.ts`), text);
  const path = join(folder, `${name}.mjs`);
  await writeFileAtomic(path, outputText);
  // The query gives each text its own URL, since a process caches modules by URL.
  const version = createHash('sha256').update(outputText).digest('hex').slice(0, 16);
  const module = (await import(/* @vite-ignore */ `${pathToFileURL(path).href}?${version}`)) as Record<string, unknown>;
  return {
    makeConstants: module.makeConstants as TfjsModule['makeConstants'],
    call(one) {
      const found = module[one];
      if (typeof found !== 'function') throw new Error(`bug in crobc: ${name} has no function ${one}`);
      return found as TfjsCall;
    },
  };
}
