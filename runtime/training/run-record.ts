import { basename } from 'node:path';
import { graphHash } from '../../compiler/ir/hash.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { type RecordedModel, recordModel } from '../build/recorded-source.ts';
import type { TrainingCompiled } from '../build/source-model.ts';
import { packageVersion } from '../files/package-root.ts';
import { ownPath } from '../files/source-host.ts';
import { threshold } from '../images/mask.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../images/normalise.ts';
import type { TrainedRecord } from '../weights/trained-record.ts';
import type { RunIdentity } from './checkpoint.ts';
import type { InputSizes, TrainingData } from './data.ts';

/** A training, and what it was compiled from. */
export interface TrainingSource {
  readonly training: Training;
  readonly source: Pick<TrainingCompiled, 'program' | 'file' | 'overrides'>;
}

interface Recorded extends TrainingSource {
  readonly data: TrainingData;
  readonly identity: Pick<RunIdentity, 'recipe' | 'seed' | 'hashes'>;
}

/** Returns the model of a training with its sources; undefined if it cannot be compiled without the recipe. */
export function trainedModel({ training: { inference, recipe }, source }: TrainingSource): RecordedModel | undefined {
  return recordModel({
    program: source.program,
    file: ownPath(source.file),
    model: inference.name,
    graph: graphHash(inference),
    dims: new Map([...recipe.dims].filter(([name]) => name !== 'B')),
    overrides: source.overrides.filter((setting) => !setting.trimStart().startsWith('recipe.')),
  });
}

/** Returns how images become inputs of a model of this size. */
export function recordedImage({ height, width }: Pick<InputSizes, 'height' | 'width'>): TrainedRecord['image'] {
  return { height, width, mean: IMAGENET_MEAN, deviation: IMAGENET_STD };
}

/**
 * Returns what the weights of a run record about it, so that they can be used alone; undefined if the model cannot be
 * compiled without the recipe.
 */
export function runRecord({ training, source, data, identity }: Recorded): TrainedRecord | undefined {
  const model = trainedModel({ training, source });
  if (!model) return undefined;
  const { text, sizes } = data;
  return {
    crobc: packageVersion(),
    model,
    image: recordedImage(sizes),
    text: text
      ? {
          words: text.words,
          vocabulary: {
            name: basename(text.tokenizer.source.name),
            sha256: text.tokenizer.hash,
            text: text.tokenizer.source.text,
            ...(text.tokenizer.truncation === 'keep-sep' ? {} : { truncation: text.tokenizer.truncation }),
          },
        }
      : null,
    threshold,
    training: { recipe: identity.recipe, seed: identity.seed, data: identity.hashes.data },
  };
}
