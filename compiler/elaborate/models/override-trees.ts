import type { Span } from '../../../grammar/span.ts';
import type { Path } from '../../../grammar/tree.ts';
import type { Overrides, Scope } from '../context/scope.ts';
import { asInt, describe } from '../context/values.ts';
import { overlaid } from '../modules/overrides.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/program.ts';
import { type DeepOverride, givenTwice } from './flatten.ts';

/** The deep overrides of a model as a tree by first name. Right sides and indices are read where they are written. */
export function overrideTrees(
  overrides: readonly DeepOverride[],
  bodyIn: (file: FileScope) => Scope,
): ReadonlyMap<string, Overrides> {
  let trees: ReadonlyMap<string, Overrides> = new Map();
  const given = new Map<string, Span>();
  for (const { path, value, file, model, nearness } of overrides) {
    const scope = bodyIn(file);
    const { context } = scope;
    const steps = stepsOf(scope, path);
    if (!steps) continue;
    const key = `${nearness} ${steps.join()}`;
    const earlier = given.get(key);
    if (earlier) {
      givenTwice(context, context.program.text(path.span), model, path.span, earlier);
      continue;
    }
    given.set(key, path.span);
    const evaluated = context.interpreter.evaluate(scope, value);
    trees = overlaid(trees, steps, { value: evaluated, span: value.span, nearness }, path.span);
  }
  return trees;
}

function stepsOf(scope: Scope, path: Path): readonly string[] | undefined {
  const steps: string[] = [];
  for (const step of path.steps) {
    if (step.kind === 'name') steps.push(step.name.name);
    else if (step.kind === 'any') steps.push('*');
    else {
      const value = scope.context.interpreter.evaluate(scope, step.value);
      const i = asInt(value);
      if (i === undefined) {
        if (value.kind !== 'error') fail(scope, 'CROB2201', step.span, { expected: 'an int', actual: describe(value) });
        return undefined;
      }
      steps.push(String(i));
    }
  }
  return steps;
}
