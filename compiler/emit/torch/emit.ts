import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import { inSourceOrder } from '../../diagnostics/order.ts';
import type { Context } from '../../elaborate/context/context.ts';
import type { ModelGraph } from '../../elaborate/models/model.ts';
import type { Program } from '../../elaborate/source/program.ts';
import type { Training } from '../../training/compile-training.ts';
import { weightsModule } from './loader.ts';
import { moduleText } from './module-text.ts';
import { moduleFileName } from './names.ts';
import { type Refusal, translatePackage } from './package.ts';
import { recipeModule, type StepFacts, stepFacts } from './recipe-module.ts';

export interface TorchOptions {
  /** The weights of the model; `needed` are those that inference reads. */
  readonly weights: readonly { readonly path: string; readonly shape: readonly number[]; readonly needed: boolean }[];
  /** The name of a source file in comments. */
  readonly sourceName: (file: string) => string;
  /** The training whose recipe is written too; it must be of the same program and model. */
  readonly training?: Training | undefined;
}

interface Written {
  readonly files: readonly { readonly name: string; readonly text: string }[];
  /** What cannot be written; the files are complete only without diagnostics. */
  readonly diagnostics: readonly Diagnostic[];
}

export interface TorchPackage extends Written {
  /** The recipe's part, which may be impossible although the model is not; undefined without a recipe. */
  readonly training: (Written & { readonly facts: StepFacts }) | undefined;
}

/** Writes a model as a Python package: a module with a class for each module of the source, and a reader of weights. */
export function emitTorch(
  program: Program,
  context: Context,
  model: ModelGraph,
  { weights, sourceName, training }: TorchOptions,
): TorchPackage {
  const { flat } = model;
  const made = training?.elaborated;
  const from = made && {
    recipe: made.recipe.decl.name,
    file: made.recipe.file,
    declaredIn: made.files.recipe,
    equations: made.equations,
  };
  const { sections, refusals, names, losses } = translatePackage(program, context, model, from);
  const own = sourceName(flat.decl.name.span.file).replace(/^.*\/|\.crob$/g, '');
  const file = ['weights', 'recipe', 'train', 'training', '__init__'].includes(moduleFileName(own))
    ? `${moduleFileName(own)}_model`
    : moduleFileName(own);
  const listed = weights.map(({ path, shape, needed }) => [path, { shape, needed }] as const);
  return {
    files: [
      { name: '__init__.py', text: initModule(flat.name, file) },
      {
        name: `${file}.py`,
        text: moduleText({
          sections,
          docstring: moduleDocstring(flat.name),
          sourceName,
        }),
      },
      { name: 'weights.py', text: weightsModule },
      { name: 'weights.json', text: `${JSON.stringify(Object.fromEntries(listed))}\n` },
      { name: 'py.typed', text: '' },
    ],
    diagnostics: diagnosticsOf(refusals),
    training:
      training && losses
        ? {
            files: [{ name: 'recipe.py', text: recipeModule({ training, losses, file, names, sourceName }) }],
            facts: stepFacts(training),
            diagnostics: diagnosticsOf(losses.refusals),
          }
        : undefined,
  };
}

function diagnosticsOf(refusals: readonly Refusal[]): readonly Diagnostic[] {
  const seen = new Set<string>();
  const found = refusals.flatMap(({ span, what }) => {
    const key = `${span.file} ${span.start} ${what}`;
    if (seen.has(key)) return [];
    seen.add(key);
    return [diagnostic('CROB2501', span, { what })];
  });
  return inSourceOrder(found);
}

function initModule(model: string, file: string): string {
  return `"""${model} as a PyTorch module, written by crobc.

model = ${model}()
load_weights(model, "${model}.safetensors")
"""

from .${file} import ${model}
from .weights import load_weights, named_weights

__all__ = ["${model}", "load_weights", "named_weights"]
`;
}

/** What a reader who has not seen the source needs to know about names, comments and docstrings. */
function moduleDocstring(model: string): string {
  return `${model}, written by crobc. Names, documentation and equations are those of the source.

Comments state shapes as the source does: f32[B, C, H, W], a list as [x for i in 0..n],
and any axes as ...S; what is i32 there is int64 here. Numbers of equations are those of
the paper that the class or function cites, or of the model's. Docstrings describe every
choice that the source has, in its syntax, also those that this model does not make: a
"reading" is a choice between meanings that a paper leaves open. "# From std/norm.crob."
names the source file of what is below.
`;
}
