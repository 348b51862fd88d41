import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import type { Value } from '../../ir/graph.ts';
import { staticShape } from '../../ir/shapes.ts';
import type { Training } from '../../training/compile-training.ts';
import { differentiate } from '../../training/differentiated.ts';
import { drawName } from '../../training/step-graph.ts';
import { moduleText } from './module-text.ts';
import { tupleItemName } from './names.ts';
import type { Translated } from './package.ts';
import { linesOf } from './python/source.ts';
import { type OutputAxes, recipeValue } from './recipe.ts';

export interface RecipeModuleOptions {
  readonly training: Training;
  /** The function `losses`, and what it uses. */
  readonly losses: Translated;
  /** The name of the module of the model, and the names that it declares. */
  readonly file: string;
  readonly names: ReadonlySet<string>;
  readonly sourceName: (file: string) => string;
}

/** The text of `recipe.py`. */
export function recipeModule(options: RecipeModuleOptions): string {
  const { training, losses, file, names, sourceName } = options;
  const { recipe, elaborated } = training;
  const { model } = elaborated;
  const inputs = [...model.flat.inputs.keys()];
  const value = linesOf([recipeValue(recipe, inputs, outputAxes(training))], 0);
  const program = [
    'PROGRAM = Program(',
    '    folder=Path(__file__).parent,',
    `    model=${model.flat.name},`,
    '    recipe=RECIPE,',
    '    losses=losses,',
    ')',
  ];
  const end = ['', '', ...value, '', ...program];
  return moduleText({
    sections: losses.sections,
    docstring: `Recipe ${recipe.name} for ${recipe.model}, written by crobc from ${sourceName(elaborated.files.recipe)}.`,
    sourceName,
    own: (body) => {
      const isUsed = usedIn(body);
      return [
        ...imported(`.${file}`, [...names].filter(isUsed).sort()),
        ...imported('.training.settings', settings.filter(isUsed)),
      ];
    },
    end,
  });
}

/** The classes of the static module `settings` of which a recipe makes values. */
const settings = [
  'AdamW',
  'Constant',
  'Cosine',
  'Group',
  'Poly',
  'Program',
  'Recipe',
  'SGD',
  'Selection',
  'Times',
  'Warmup',
];

/** Whether code reads a name: comments and strings are no code. */
function usedIn(text: string): (name: string) => boolean {
  const code = text.replace(/"""[\s\S]*?"""|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|#.*/g, '');
  const found = new Set(code.match(/\w+/g));
  return (name) => found.has(name);
}

/** An import, broken as the formatter black does it where it is too long for one line. */
function imported(from: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const line = `from ${from} import ${names.join(', ')}`;
  if (line.length <= 88) return [line];
  return [`from ${from} import (`, ...names.map((name) => `    ${name},`), ')'];
}

function outputAxes({ elaborated }: Training): OutputAxes {
  const { flat, outputs, lossOutputs } = elaborated.model;
  const batched = new Set<string>();
  const coupled = new Set<string>();
  const hasBatch = (dim: Dim) => dims.variables(dim).has('B');
  for (const { name, value } of [...outputs, ...lossOutputs] as readonly { name: string; value: Value }[]) {
    const output = flat.outputs.has(name) ? name : name.replace(/_\d+$/, '');
    const [first, ...others] = value.type.shape;
    if (first && dims.asVariable(first) === 'B' && !others.some(hasBatch)) batched.add(tupleItemName(output));
    else if (value.type.shape.some(hasBatch)) coupled.add(tupleItemName(output));
  }
  return { batched: [...batched].filter((name) => !coupled.has(name)), coupled: [...coupled] };
}

/** What a training step in PyTorch needs to know of crobc's. */
export interface StepFacts {
  readonly weights: Readonly<
    Record<
      string,
      {
        readonly shape: readonly number[];
        readonly role: 'param' | 'buffer';
        /** False for a weight that is exempt from weight decay. */
        readonly decays: boolean;
        /** Whether the losses depend on it. */
        readonly learned: boolean;
      }
    >
  >;
  /** The random numbers of a forward pass, in order; `key` is the name by which they are drawn. */
  readonly draws: readonly { readonly key: string; readonly shape: readonly number[] }[];
}

export function stepFacts(training: Training): StepFacts {
  const free = { ...training, weights: training.weights.map((weight) => ({ ...weight, frozen: false })) };
  const learned = new Set(differentiate(free).learning);
  const weights = training.weights.map(({ path, shape, role, decays }) => [
    path,
    { shape, role, decays, learned: learned.has(path) },
  ]);
  const draws = training.forward.build.nodes.flatMap((node) =>
    node.op === 'uniform' ? [{ key: drawName(node.attributes.key), shape: staticShape(node.outputs[0].type) }] : [],
  );
  return { weights: Object.fromEntries(weights), draws };
}
