import type { Compiled } from '../../compiler/compile.ts';
import type { ExposableValue } from '../../compiler/elaborate/models/inline.ts';
import { allNearest } from '../../grammar/nearest.ts';
import { UserError } from '../files/user-error.ts';
import type { CompiledFile } from './source-model.ts';

/** Returns the compiled model with the named values that the patterns select as further outputs, in the order of computation. */
export function exposing(compiled: CompiledFile, patterns: readonly string[]): CompiledFile {
  const paths = selectedValues(compiled, patterns).map(({ path }) => path);
  return { ...compiled, graph: compiled.exposing(paths) };
}

/**
 * Returns the named values of a model that any of the patterns selects, each once, in the order of computation. Throws
 * a UserError for a pattern that selects none.
 */
export function selectedValues(
  { graph, namedValues }: Pick<CompiledFile, 'graph'> & Pick<Compiled, 'namedValues'>,
  patterns: readonly string[],
): readonly ExposableValue[] {
  const values = namedValues();
  const matchers = patterns.map(valueMatcher);
  for (const [i, matches] of matchers.entries())
    if (!values.some(matches)) throw noValue(graph.name, patterns[i]!, values);
  return values.filter((value) => matchers.some((matches) => matches(value)));
}

/**
 * Returns whether a pattern selects a value: `*` matches any text, `[*]` an index. A list is selected with its items, and
 * a part with its results.
 */
export function valueMatcher(pattern: string): (value: Pick<ExposableValue, 'path' | 'resultOf'>) => boolean {
  const source = pattern
    .trim()
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('\\[\\*\\]', '\\[\\d+\\]')
    .replaceAll('\\*', '.*');
  const expression = new RegExp(`^${source}(\\[\\d+\\])*$`);
  return ({ path, resultOf }) => expression.test(path) || (resultOf !== undefined && expression.test(resultOf));
}

/** The maximum number of suggested paths. */
const mostNamed = 6;

function noValue(model: string, pattern: string, values: readonly ExposableValue[]): UserError {
  if (values.length === 0) return new UserError(`${model} gives no intermediate value a name: write it as a \`let\``);
  const general = (path: string) => path.replace(/\[\d+\]/g, '[*]');
  const known = [...new Set(values.flatMap(({ path, resultOf }) => [resultOf ?? path, path].map(general)))];
  const wanted = general(pattern);
  const last = (path: string) => path.slice(path.lastIndexOf('.') + 1).replace('[*]', '');
  // Of a pattern such as `*.atention`, the text after the last wildcard.
  const name = last(wanted).replace(/^.*\*/, '');
  const named = new Set(name === '' ? [] : allNearest(name, new Set(known.map(last))));
  const near = [...allNearest(wanted, known), ...known.filter((path) => named.has(last(path)))];
  const owner = wanted.slice(0, Math.max(0, wanted.lastIndexOf('.')));
  const beside = known.filter((path) => owner !== '' && path.startsWith(`${owner}.`));
  const shown = [...new Set(near.length > 0 ? near : beside)];
  const listed = shown.slice(0, mostNamed).join(', ') + (shown.length > mostNamed ? ', …' : '');
  const meant = shown.length > 0 ? `; near it are ${listed}` : '';
  return new UserError(
    `${model} has no value ${pattern}${meant}; --expose list prints all ${values.length.toLocaleString('en')}`,
  );
}
