import { join, type Span } from '../../../grammar/span.ts';
import type { Path } from '../../../grammar/tree.ts';
import type { Context } from '../context/context.ts';
import type { Given, Opened, OverrideLine, Overrides, Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { holdsShadow } from '../modules/instance.ts';
import { overlaid } from '../modules/overrides.ts';
import { failCircle, waiting } from '../report/circle.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';
import type { DeepOverride } from './flat-model.ts';
import { givenTwice } from './flatten.ts';

/** A line `path = value` with its path split into steps. */
export interface Line {
  readonly source: DeepOverride;
  /** Names, list indices as numbers, and `*`. */
  readonly steps: readonly string[];
}

/** How an override line inside a part is used. */
export interface OverrideUse {
  /** The span of its path. */
  readonly span: Span;
  readonly nearness: number;
  /** `none`: never read; `part`: it is a part of the model; `value`: a plain value, which the model may depend on. */
  readonly use: 'none' | 'part' | 'value';
}

/** Evaluates a right side in the model without the lines in `without`. */
interface Reader {
  /** With `shadow`, parts may be shadows. */
  readonly given: (source: DeepOverride, without: readonly Line[], shadow: boolean) => Given;
  readonly opened: (source: DeepOverride, without: readonly Line[]) => Opened;
}

/**
 * The override lines of a chain of models. A right side is evaluated on first use. It sees the complete model,
 * except that the part the line itself changes is seen without this line: `mid.layers = mid.layers - 3` subtracts 3
 * from the base's value.
 */
export class OverrideLines {
  readonly #context: Context;
  readonly #overrides: ReadonlyMap<string, readonly DeepOverride[]>;
  readonly #indices: (file: FileScope) => Scope;
  readonly #read: Reader;
  /** By part name; 'waiting' while the indices in their paths are evaluated. */
  readonly #lines = new Map<string, readonly Line[] | 'waiting'>();
  /** Right sides that the model itself has read, by the span of their lines. */
  readonly #given = new Map<Span, Given>();
  readonly #trees = new Map<string, Overrides | undefined>();

  /** `indices` gives the scope of indices in paths. */
  constructor(context: Context, overrides: readonly DeepOverride[], indices: (file: FileScope) => Scope, read: Reader) {
    this.#context = context;
    this.#read = read;
    this.#indices = indices;
    this.#overrides = grouped(overrides);
  }

  /** Returns the overrides inside a part, by its name. */
  below(name: string): Overrides | undefined {
    return this.#tree(name, []);
  }

  /** Like `below`, without some lines: what the right side of the last of them sees. */
  belowWithout(name: string, without: readonly Line[]): Overrides | undefined {
    return this.#tree(name, without);
  }

  /** Returns all lines and their uses, including lines that a nearer model has replaced. */
  all(): readonly OverrideUse[] {
    return [...this.#overrides.keys()]
      .flatMap((name) => this.#linesOf(name))
      .map(({ source: { path, nearness } }) => {
        const value = this.#given.get(path.span)?.value;
        return { span: path.span, nearness, use: value === undefined ? 'none' : isPlain(value) ? 'value' : 'part' };
      });
  }

  #linesOf(name: string): readonly Line[] {
    const known = this.#lines.get(name);
    const overrides = this.#overrides.get(name);
    if (!overrides) return [];
    if (known === 'waiting') {
      const { asked } = this.#context.run;
      const waiting = asked.findIndex(({ span }) => overrides.some(({ path }) => path.span === span));
      for (const { span } of asked.slice(waiting, waiting + 1)) failCircle(this.#context, asked.slice(waiting), span);
      return [];
    }
    if (known) return known;
    this.#lines.set(name, 'waiting');
    const lines = distinct(this.#context, overrides, this.#indices);
    this.#lines.set(name, lines);
    return lines;
  }

  #tree(name: string, without: readonly Line[]): Overrides | undefined {
    const lines = this.#linesOf(name);
    const key = [name, ...without.map((line) => lines.indexOf(line))].join();
    const known = this.#trees.get(key);
    if (known) return known;
    let tree: ReadonlyMap<string, Overrides> = new Map();
    for (const line of lines) {
      const made = this.#overrideLine(line, without);
      if (made) tree = overlaid(tree, line.steps, made);
    }
    const below = tree.get(name);
    if (below) this.#trees.set(key, below);
    return below;
  }

  #overrideLine(line: Line, without: readonly Line[]): OverrideLine | undefined {
    const { source, steps } = line;
    // A right side sees its part without its own line, and without nearer lines for the same path.
    if (without.includes(line) && steps.join() === without.at(-1)?.steps.join()) return undefined;
    const { path, value, model, nearness } = source;
    const read: { shadow?: Given; part?: Given; opened?: Opened } = {};
    const others = [...without, line];
    const wait = <T>(work: () => T, circle: (given: Given) => T): T => {
      const asked = { name: this.#context.run.program.text(path.span), span: path.span, nearness };
      return waiting(this.#context, asked, work, (found) => circle({ value: found, span: value.span }));
    };
    const whole = (shadow: boolean) =>
      wait(
        () => this.#read.given(source, others, shadow),
        (circle) => circle,
      );
    const given = (shadow: boolean): Given => {
      read.shadow ??= whole(true);
      if (shadow || !holdsShadow(read.shadow.value)) return read.shadow;
      read.part ??= whole(false);
      return read.part;
    };
    return {
      span: path.span,
      whole: join(path.span, value.span),
      model,
      nearness,
      given: (shadow) => {
        const found = given(shadow);
        if (without.length === 0 && !shadow) this.#given.set(path.span, found);
        return found;
      },
      opened: () => {
        read.opened ??= wait(
          () => this.#read.opened(source, others),
          (circle) => ({ given: circle, args: undefined }),
        );
        return read.opened;
      },
    };
  }
}

/** Whether a value contains no modules. An empty list is not plain, since it may be a list of parts. */
function isPlain(value: Val): boolean {
  if (value.kind === 'list') return value.items.length > 0 && value.items.every(isPlain);
  return value.kind !== 'spec' && value.kind !== 'instance' && value.kind !== 'none' && value.kind !== 'error';
}

function grouped(overrides: readonly DeepOverride[]): ReadonlyMap<string, readonly DeepOverride[]> {
  const groups = new Map<string, DeepOverride[]>();
  for (const one of overrides) {
    const group = groups.get(one.name);
    if (group) group.push(one);
    else groups.set(one.name, [one]);
  }
  return groups;
}

/** The lines with valid paths; reports a path that occurs twice in a model. */
function distinct(
  context: Context,
  overrides: readonly DeepOverride[],
  indices: (file: FileScope) => Scope,
): readonly Line[] {
  const lines = new Map<string, Line>();
  for (const source of overrides) {
    const { path, file, model, nearness } = source;
    const { asked, program } = context.run;
    asked.push({ name: program.text(path.span), span: path.span, nearness });
    const steps = stepsOf(indices(file), path);
    asked.pop();
    if (!steps) continue;
    const key = `${nearness} ${steps.join()}`;
    const earlier = lines.get(key);
    if (earlier) givenTwice(context, context.run.program.text(path.span), model, path.span, earlier.source.path.span);
    else lines.set(key, { source, steps });
  }
  return [...lines.values()];
}

/** Returns the steps of a path, whose indices must be static ints; undefined after a report. */
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
