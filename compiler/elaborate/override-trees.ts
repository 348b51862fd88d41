import type { Span } from '../../grammar/span.ts';
import type { Path } from '../../grammar/tree.ts';
import type { Body, Overrides } from './body.ts';
import { type DeepOverride, givenTwice } from './flatten.ts';
import { overlaid } from './overrides.ts';
import type { FileScope } from './program.ts';
import { fail } from './report.ts';
import { asInt, describe } from './values.ts';

/** The deep overrides of a model as a tree by first name. Right sides and indices are read where they are written. */
export function overrideTrees(
  overrides: readonly DeepOverride[],
  bodyIn: (file: FileScope) => Body,
): ReadonlyMap<string, Overrides> {
  let trees: ReadonlyMap<string, Overrides> = new Map();
  const given = new Map<string, Span>();
  for (const { path, value, file, model, nearness } of overrides) {
    const body = bodyIn(file);
    const { session } = body;
    const steps = stepsOf(body, path);
    if (!steps) continue;
    const key = `${nearness} ${steps.join()}`;
    const earlier = given.get(key);
    if (earlier) {
      givenTwice(session, session.program.text(path.span), model, path.span, earlier);
      continue;
    }
    given.set(key, path.span);
    const evaluated = session.interpreter.evaluate(body, value);
    trees = overlaid(trees, steps, { value: evaluated, span: value.span, nearness }, path.span);
  }
  return trees;
}

function stepsOf(body: Body, path: Path): readonly string[] | undefined {
  const steps: string[] = [];
  for (const step of path.steps) {
    if (step.kind === 'name') steps.push(step.name.name);
    else if (step.kind === 'any') steps.push('*');
    else {
      const value = body.session.interpreter.evaluate(body, step.value);
      const i = asInt(value);
      if (i === undefined) {
        if (value.kind !== 'error') fail(body, 'CROB2201', step.span, { expected: 'an int', actual: describe(value) });
        return undefined;
      }
      steps.push(String(i));
    }
  }
  return steps;
}
