import { staticShape } from '../../../compiler/ir/shapes.ts';
import { defaultInterval } from '../../../compiler/training/recipe.ts';
import { packageVersion } from '../../files/package-root.ts';
import { sha256 } from '../../files/text-hash.ts';
import { threshold } from '../../images/mask.ts';
import { tableRows, wordCount, wordsOf } from '../../predict/referring-model.ts';
import type { TrainedRecord } from '../../weights/trained-record.ts';
import type { RunIdentity, StoredTensor } from '../checkpoint.ts';
import { graphHashes, plainRecipe } from '../run-identity.ts';
import { recordedImage, type TrainingSource, trainedModel } from '../run-record.ts';
import { statesOf } from '../state.ts';
import { stepParts } from '../step-parts.ts';
import { storedTensors } from '../stored-state.ts';
import type { ProgramFile } from './program-files.ts';

/** What the training program of a PyTorch package needs to continue crobc's runs, and crobc its runs: recipe.json. */
export interface RecipeFile {
  readonly format: typeof recipeFormat;
  readonly crobc: string;
  /** The identity of a run without what follows from its data. */
  readonly identity: Pick<RunIdentity, 'model' | 'seed' | 'recipe'> & {
    readonly hashes: Pick<RunIdentity['hashes'], 'model' | 'loss'>;
  };
  /** In the unit of the recipe's length; `given` tells whether the recipe sets it. */
  readonly checkpoints: { readonly every: number; readonly given: boolean };
  /** The state tensors of a checkpoint. */
  readonly stored: readonly StoredTensor[];
  /** What weights record about the model; null if it cannot be compiled without the recipe. */
  readonly model: TrainedRecord['model'] | null;
  readonly image: TrainedRecord['image'];
  /** Null for a model that reads only images. `rows` is the size of its table of word pieces, null if unknown. */
  readonly text: { readonly words: number; readonly rows: number | null } | null;
  readonly threshold: number;
  /** SHA-256 of each module of the package, by its path in it. */
  readonly files: Readonly<Record<string, string>>;
}

export const recipeFileName = 'recipe.json';
export const recipeFormat = 'crobc recipe 1';

/** Returns the content of recipe.json for a package with these files. */
export function recipeFile(from: TrainingSource, files: readonly ProgramFile[]): RecipeFile {
  const { training } = from;
  const { recipe, inference, forward } = training;
  const tokens = wordsOf(inference);
  const image = forward.inputs.find(({ name }) => name === 'image');
  if (!image) throw new Error('bug in crobc: a training on images has no image');
  const [, , height, width] = staticShape(image.value.type);
  return {
    format: recipeFormat,
    crobc: packageVersion(),
    identity: {
      model: recipe.model,
      seed: recipe.seed,
      recipe: plainRecipe(recipe),
      hashes: graphHashes(training),
    },
    checkpoints: {
      every: recipe.checkpointEvery ?? defaultInterval(recipe.length),
      given: recipe.checkpointEvery !== undefined,
    },
    stored: storedTensors(training, statesOf(stepParts(training, { backend: 'tfjs' }))),
    model: trainedModel(from) ?? null,
    image: recordedImage({ height: height!, width: width! }),
    text: tokens ? { words: wordCount(tokens), rows: tableRows(inference, tokens) ?? null } : null,
    threshold,
    files: Object.fromEntries(
      files.filter(({ name }) => name.endsWith('.py')).map(({ name, text }) => [name, sha256(text)]),
    ),
  };
}
