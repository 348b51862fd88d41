import { join, type Span } from '../../../grammar/span.ts';
import type { Path } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { OverrideLine, Overrides } from '../context/overrides.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt, type Given, type Val } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { overlaid } from '../modules/overrides.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/program.ts';
import { type DeepOverride, givenTwice } from './flatten.ts';

/** A line `path = value` with its path taken apart. */
export interface Line {
  readonly source: DeepOverride;
  /** Names, list indices as numbers, and `*`. */
  readonly steps: readonly string[];
}

/** What became of a line that changes the inside of a part. */
export interface OverrideUse {
  /** Of its path. */
  readonly span: Span;
  readonly nearness: number;
  /** Nothing asked for it; it is a part of the model; or it is a plain value, which the model may depend on. */
  readonly use: 'none' | 'part' | 'value';
}

/** Reads a right side; the lines in `without` are not part of the model that it sees. */
type Reader = (source: DeepOverride, without: readonly Line[]) => Given;

/**
 * The lines of a model's chain that change the inside of parts. A right side is evaluated when the value is first needed. It
 * sees the finished model; only on the part that the line itself changes does it see the part without this line:
 * `mid.layers = mid.layers - 3` takes 3 from what the base has.
 */
export class OverrideLines {
  readonly #context: Context;
  readonly #lines: readonly Line[];
  readonly #read: Reader;
  /** Right sides that the model itself has asked for, by the place of their lines. */
  readonly #given = new Map<Span, Given>();
  readonly #trees = new Map<string, ReadonlyMap<string, Overrides>>();

  /** `indices` gives the scope of indices in paths. */
  constructor(context: Context, overrides: readonly DeepOverride[], indices: (file: FileScope) => Scope, read: Reader) {
    this.#context = context;
    this.#read = read;
    this.#lines = distinct(context, overrides, indices);
  }

  /** What is changed below a part of the model, by its name. */
  below(name: string): Overrides | undefined {
    return this.#tree([]).get(name);
  }

  /** The same without some lines: what the right side of the last of them sees. */
  belowWithout(name: string, without: readonly Line[]): Overrides | undefined {
    return this.#tree(without).get(name);
  }

  /** All lines, those too that a nearer model has replaced, and what became of them. */
  all(): readonly OverrideUse[] {
    return this.#lines.map(({ source: { path, nearness } }) => {
      const value = this.#given.get(path.span)?.value;
      return { span: path.span, nearness, use: value === undefined ? 'none' : isPlain(value) ? 'value' : 'part' };
    });
  }

  #tree(without: readonly Line[]): ReadonlyMap<string, Overrides> {
    const key = without.map((line) => this.#lines.indexOf(line)).join();
    let tree = this.#trees.get(key);
    if (!tree) {
      tree = new Map();
      for (const line of this.#lines) {
        const made = this.#overrideLine(line, without);
        if (made) tree = overlaid(tree, line.steps, made);
      }
      this.#trees.set(key, tree);
    }
    return tree;
  }

  #overrideLine(line: Line, without: readonly Line[]): OverrideLine | undefined {
    const { source, steps } = line;
    const isLeftOut = without.includes(line);
    // A right side sees its part without its own line, and without nearer lines of the same path. Another line that is left out
    // waits for this right side: to ask for it goes round in a circle.
    if (isLeftOut && steps.join() === without.at(-1)?.steps.join()) return undefined;
    const { path, value, model, nearness } = source;
    let given: Given | undefined;
    return {
      span: path.span,
      whole: join(path.span, value.span),
      model,
      nearness,
      given: () => {
        if (isLeftOut) {
          const name = this.#context.run.program.text(path.span);
          return { value: fail({ context: this.#context }, 'CROB2305', path.span, { name }), span: value.span };
        }
        given ??= this.#read(source, [...without, line]);
        if (without.length === 0) this.#given.set(path.span, given);
        return given;
      },
    };
  }
}

/** A value without modules. An empty list may be of either kind. */
function isPlain(value: Val): boolean {
  if (value.kind === 'list') return value.items.length > 0 && value.items.every(isPlain);
  return value.kind !== 'spec' && value.kind !== 'instance' && value.kind !== 'none' && value.kind !== 'error';
}

/** Lines whose paths are sound, each path once in a model. */
function distinct(
  context: Context,
  overrides: readonly DeepOverride[],
  indices: (file: FileScope) => Scope,
): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const source of overrides) {
    const { path, file, model, nearness } = source;
    const steps = stepsOf(indices(file), path);
    if (!steps) continue;
    const key = `${nearness} ${steps.join()}`;
    const earlier = lines.get(key);
    if (earlier) givenTwice(context, context.run.program.text(path.span), model, path.span, earlier.source.path.span);
    else lines.set(key, { source, steps });
  }
  return [...lines.values()];
}

/** An index of a path is a static int. */
function stepsOf(scope: Scope, path: Path): readonly string[] | undefined {
  const steps: string[] = [];
  for (const step of path.steps) {
    if (step.kind === 'name') steps.push(step.name.name);
    else if (step.kind === 'any') steps.push('*');
    else {
      const value = evaluate(scope, step.value);
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
