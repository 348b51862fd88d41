import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A fault for the harness to find: what stands once in a file, and what is put in its place. */
export interface PlantedFault {
  readonly name: string;
  readonly file: string;
  readonly right: string;
  readonly wrong: string;
}

export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'a wrong gradient',
    file: 'compiler/gradients/unary.ts',
    right: 'build.mul(dy, build.sub(scalar(build, x, 1), build.mul(y, y)))',
    wrong: 'build.mul(dy, build.sub(scalar(build, x, 1), y))',
  },
  {
    name: 'a maximum whose ties do not share their gradient',
    file: 'compiler/gradients/reduce.ts',
    right: 'build.mul(isLargest, build.div(kept(dy), build.sum(isLargest, axes, true)))',
    wrong: 'build.mul(isLargest, kept(dy))',
  },
  {
    name: 'a dropped broadcast',
    file: 'compiler/passes/broadcasts.ts',
    right: 'sameShape(facts, broadcastTogether(facts, [batch(x), batch(other)]), batch(product.outputs[0]))',
    wrong: 'batch(x).length + batch(other).length >= 0',
  },
  {
    name: 'a rewrite that is wrong for extent 1',
    file: 'compiler/passes/rule.ts',
    right: 'return isElementwise(before.node) ? this.broadcast',
    wrong: 'return after.type.shape.length !== before.type.shape.length ? this.broadcast',
  },
  {
    name: 'swapped axes in one emitter',
    file: 'compiler/emit/tfjs/emission.ts',
    right: 'perm.map((axis) => made.perm[axis]!)',
    wrong: 'made.perm.map((axis) => perm[axis]!)',
  },
  {
    name: 'rows that are written instead of added',
    file: 'compiler/emit/onnx/scatter.ts',
    right: "emission.node('ScatterND', [to, at, rows], type, { reduction: string('add') })",
    wrong: "emission.node('ScatterND', [to, at, rows], type, { reduction: string('none') })",
  },
  {
    name: 'a sign taken for known',
    file: 'compiler/emit/onnx/non-negative.ts',
    right: 'return value.index === 1 || input(0);',
    wrong: 'return true;',
  },
  {
    name: 'a template key too short',
    file: 'compiler/elaborate/calls/template-body.ts',
    right: ' : keyOf(value);',
    wrong: " : value.kind === 'list' ? 'a list' : keyOf(value);",
  },
  {
    name: 'an in-place update too early',
    file: 'compiler/training/in-place.ts',
    right: '    for (const part of [name, ...parts]) {',
    wrong: '    for (const part of parts) {',
  },
  {
    name: 'an optimizer without its correction',
    file: 'compiler/training/optimizer.ts',
    right: 'const eps2 = factor(build.mul(rootCorrection, number(eps)), 1);',
    wrong: 'const eps2 = factor(number(eps), 1);',
  },
  {
    name: 'a share of micro-batches left out',
    file: 'compiler/training/step-builder.ts',
    right: 'build.full(1 / this.#training.recipe.accumulate, ',
    wrong: 'build.full(1, ',
  },
];

/** The file that a fault belongs into, below the root of the repository. */
export const sourceOf = ({ file }: PlantedFault, root: string): string => readFileSync(join(root, file), 'utf8');
