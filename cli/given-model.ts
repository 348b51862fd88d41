import type { CompileOptions } from '../compiler/compile.ts';
import type { CompiledFile } from '../runtime/build/source-model.ts';
import { UsageError } from '../runtime/files/usage-error.ts';
import { isTrainedModel, openTrainedModel } from '../runtime/predict/trained-model.ts';
import { compileFile, viaOf } from './compile-file.ts';
import type { Io } from './io.ts';
import { complain } from './print.ts';
import { withPublishedNames } from './published-names.ts';

interface Given {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly weights?: string | false;
  readonly via?: string;
}

export interface GivenModel {
  readonly compiled: CompiledFile;
  readonly weightsFile: string | undefined;
}

/**
 * Compiles what a command was given: a model of a .crob file with the weights of `--weights`, or a trained model, which
 * is both. Prints the errors of a source and returns undefined if there are any.
 */
export async function givenModel(
  io: Io,
  path: string,
  { model, set, weights, via }: Given,
  compiling: Pick<CompileOptions, 'recipeDims'> = {},
): Promise<GivenModel | undefined> {
  if (await isTrainedModel(path)) {
    const unused = Object.entries({ '--weights': weights || undefined, '--via': via, '--set': set });
    for (const [option, value] of unused) {
      if (value !== undefined)
        throw new UsageError(
          `${option} is for a .crob file, and ${path} is a trained model, which has its weights and sizes`,
        );
    }
    const { compiled, weightsFile, record } = await openTrainedModel(path);
    if (model !== undefined && model !== record.model.name)
      throw new UsageError(`--model ${model}: ${weightsFile} is ${record.model.name}`);
    if (!path.endsWith('.safetensors')) complain(io, `note: ${record.model.name} with the weights of ${weightsFile}`);
    return { compiled, weightsFile };
  }
  const compiled = compileFile(io, path, model, set, {
    ...compiling,
    via: viaOf({ ...(weights === undefined ? {} : { weights }), ...(via === undefined ? {} : { via }) }),
  });
  if (!compiled) return undefined;
  const weightsFile = typeof weights === 'string' ? weights : undefined;
  return { compiled: await withPublishedNames(io, compiled, weightsFile), weightsFile };
}
