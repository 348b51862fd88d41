import { groupedBy } from '../../compiler/lists.ts';
import type { Quantity } from '../../runtime/build/model-summary.ts';
import type { Place, Setting } from '../../runtime/diff/anatomy.ts';
import {
  type CodeChange,
  elementsOf,
  gatheredPaths,
  type ModelDifferences,
  type ModuleChange,
  type ParameterChange,
  shapeText,
  type WeightChanges,
} from '../../runtime/diff/differences.ts';
import { type DifferenceLine, withContext } from '../../runtime/diff/lines.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import type { GraphWeight } from '../../runtime/weights/graph-weights.ts';
import { leadingTerms } from '../leading-terms.ts';
import { plural } from '../messages.ts';
import { shortCount } from '../units.ts';

/** A part of a report, which is printed as text or as Markdown. */
export type Block =
  | { readonly kind: 'table'; readonly heads: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'code'; readonly title: string; readonly lines: readonly DifferenceLine[] }
  | { readonly kind: 'line'; readonly text: string };

export interface Section {
  readonly title: string;
  readonly blocks: readonly Block[];
}

export interface ReportOptions {
  /** Levels of modules to list. */
  readonly depth: number;
  /** The heads of columns: the names of the models, or a revision and `now`. */
  readonly names: readonly [before: string, after: string];
  /** Whether long cells and long lists are kept whole. */
  readonly wide: boolean;
}

/** A sentence that says whether two models are the same; undefined if their graphs differ. */
export function verdictText({ verdict }: ModelDifferences): string | undefined {
  switch (verdict) {
    case 'none':
      return 'no difference';
    case 'sources':
      return 'same graph: the sources differ, and mean the same';
    case 'training':
      return 'same graph in inference; in training, the graphs differ';
    case 'graphs':
      return undefined;
  }
}

/** Returns the sections of a report, without those that have nothing to say. */
export function reportOf(differences: ModelDifferences, options: ReportOptions): Section[] {
  const report = new Report(differences, options);
  // Of equal graphs, only the sources are of interest.
  const isOfGraphs = differences.verdict === 'graphs' || differences.verdict === 'training';
  return [...report.sources(), ...(isOfGraphs ? report.graphs() : [])].filter(({ blocks }) => blocks.length > 0);
}

/** Maximum number of rows of a table, and of characters of a cell, without `--wide`. */
const mostRows = 24;
const widestCell = 44;

class Report {
  readonly #found: ModelDifferences;
  readonly #options: ReportOptions;

  constructor(found: ModelDifferences, options: ReportOptions) {
    this.#found = found;
    this.#options = options;
  }

  sources(): Section[] {
    const { parts, parameters, ports, conditions, equations, methods } = this.#found;
    const own = parameters.filter(({ follows }) => !follows);
    const following = parameters.filter(({ follows }) => follows);
    const heads = ['', ...this.#options.names];
    return [
      {
        title: 'Parts',
        blocks: this.#table(
          [...heads, 'where'],
          gathered(
            parts,
            ({ path }) => path,
            ({ path, before: old, after: now }) => [
              settingText(path, old),
              settingText(path, now),
              placeText((now ?? old)?.written.place),
            ],
          ),
        ),
      },
      { title: 'Parameters', blocks: this.#table([...heads, 'where'], this.#parameters(own)) },
      {
        title: 'Parameters that follow from these',
        blocks: this.#following([...heads, 'from'], following),
      },
      {
        title: 'Inputs and outputs',
        blocks: this.#table(
          heads,
          ports.map(({ role, name, before: old = '', after: now = '' }) => [`${role} ${name}`, old, now]),
        ),
      },
      {
        title: 'Conditions',
        blocks: code('', [
          ...conditions.removed.map((text) => ({ mark: '-', text }) as const),
          ...conditions.added.map((text) => ({ mark: '+', text }) as const),
        ]),
      },
      {
        title: 'Equations',
        blocks: code('', equations),
      },
      { title: 'Methods', blocks: methods.flatMap((method) => this.#method(method)) },
    ];
  }

  graphs(): Section[] {
    const { weights, operators, before } = this.#found;
    const heads = ['', ...this.#options.names];
    return [
      {
        title: 'Modules',
        blocks: this.#table(['', 'module', 'output', 'parameters', 'FLOP', 'activations'], this.#modules()),
      },
      { title: 'Weights', blocks: this.#table(['', 'weights', 'shape', 'parameters'], this.#weights()) },
      {
        title: 'Initial values',
        blocks: this.#table(
          heads,
          gathered(
            weights.initial,
            ({ path }) => path,
            ({ before: old, after: now }) => [old, now],
          ),
        ),
      },
      {
        title: 'Operators',
        blocks: this.#table(
          [...heads, 'change'],
          operators.map(({ op, before: old, after: now }) => [op, count(old), count(now), signed(now - old, count)]),
        ),
      },
      { title: 'Totals', blocks: [...this.#table([...heads, 'change'], this.#totals()), ...this.#openSizes()] },
      { title: `A checkpoint of ${before.model}`, blocks: this.#carried() },
    ];
  }

  #table(heads: readonly string[], all: readonly (readonly string[])[]): Block[] {
    if (all.length === 0) return [];
    const { wide } = this.#options;
    const rows = wide ? all : all.slice(0, mostRows).map((row) => row.map((cell) => shortened(cell)));
    const more = all.length - rows.length;
    return [
      { kind: 'table', heads, rows },
      ...(more > 0 ? [{ kind: 'line', text: `and ${more} more; --wide and --json have them all` } as const] : []),
    ];
  }

  #parameters(all: readonly ParameterChange[]): string[][] {
    return gathered(
      all,
      ({ path }) => path,
      ({ before = '', after = '', written, follows }) => [
        before,
        after,
        [...(follows && written ? [written.text] : []), placeText(written?.place)].join('  '),
      ],
    );
  }

  /** Lists parameters of the parts that `--depth` shows, and counts the others. */
  #following(heads: readonly string[], all: readonly ParameterChange[]): Block[] {
    const shown = this.#options.wide
      ? all
      : all.filter(({ path }) => path.split('.').length <= this.#options.depth + 1);
    const inside = all.length - shown.length;
    return [
      ...this.#table(heads, this.#parameters(shown)),
      ...(inside > 0 ? [{ kind: 'line', text: `and ${inside} inside these parts` } as const] : []),
    ];
  }

  #method({ name, before, after, lines }: CodeChange): Block[] {
    const places = [...new Set([before, after].map(placeText))].filter((text) => text !== '').join(' -> ');
    const shown = withContext(lines, 1);
    const most = this.#options.wide ? shown.length : mostRows;
    const more = shown.length - most;
    const rest = more > 0 ? [{ mark: ' ', text: `… ${more} more lines` } as const] : [];
    return code(`${name}  ${places}`, [...shown.slice(0, most), ...rest]);
  }

  #modules(): string[][] {
    const listed = this.#found.modules.filter(({ name }) => name.split('.').length <= this.#options.depth);
    return gathered(
      listed,
      ({ name }) => name,
      (change) => this.#module(change),
    );
  }

  #module({ before, after }: ModuleChange): string[] {
    const both = <T>(of: (module: NonNullable<typeof before>) => T, text: (value: T) => string): string =>
      arrow(before && text(of(before)), after && text(of(after)));
    return [
      both(
        (one) => one.module,
        (text) => text,
      ),
      both(
        ({ outputs }) => outputs,
        ([first = '', ...more]) => (more.length === 0 ? first : `${first} and ${more.length} more`),
      ),
      both(({ parameters }) => parameters, count),
      both(
        ({ flops }) => flops,
        (n) => amount(n, shortCount),
      ),
      both(
        ({ activationBytes }) => activationBytes,
        (n) => amount(n, byteSize),
      ),
    ];
  }

  #weights(): string[][] {
    const { weights, before, after } = this.#found;
    const rows = (mark: string, some: readonly GraphWeight[], all: readonly GraphWeight[]) =>
      gathered(
        gatheredPaths(some, all),
        ({ path }) => path,
        ({ weights: found }) => [
          String(found.length),
          found.length === 1 ? found.map(shapeText).join() : '',
          count(parametersOf(found)),
        ],
        mark,
      );
    return [
      ...rows('- ', weights.removed, before.weights),
      ...rows('+ ', weights.added, after.weights),
      ...this.#reshaped(weights.reshaped),
    ];
  }

  /** Lists reshaped weights one by one; where there are many, by the parts that `--depth` shows. */
  #reshaped(reshaped: WeightChanges['reshaped']): string[][] {
    const single = gathered(
      reshaped,
      ({ path }) => path,
      ({ before, after }) => [
        '1',
        arrow(shapeText(before), shapeText(after)),
        arrow(count(parametersOf([before])), count(parametersOf([after]))),
      ],
      '~ ',
    );
    if (this.#options.wide || single.length <= mostRows / 2) return single;
    const { depth } = this.#options;
    const parts = groupedBy(reshaped, ({ path }) => path.split('.').slice(0, depth).join('.'));
    return [...parts].map(([path, some]) => {
      const [before, after] = [some.map((one) => one.before), some.map((one) => one.after)];
      const rest = some.every((one) => one.path === path) ? '' : '.*';
      return [
        `~ ${path}${rest}`,
        String(some.length),
        'other shapes',
        arrow(count(parametersOf(before)), count(parametersOf(after))),
      ];
    });
  }

  #totals(): string[][] {
    const { before, after } = this.#found.totals;
    const row = (name: string, a: Quantity | undefined, b: Quantity | undefined, unit: (n: number) => string) => {
      if (a === undefined || b === undefined) return [];
      const known = typeof a === 'number' && typeof b === 'number';
      const change = known ? signed(b - a, unit) + percentage(a, b) : 'depends on the sizes';
      return [[name, amount(a, unit), amount(b, unit), a === b ? '' : change]];
    };
    const { before: one, after: other } = this.#found;
    return [
      ...row('parameters', before.parameters, after.parameters, count),
      ...row('FLOP', before.flops, after.flops, shortCount),
      ...row('activations in all', before.activationBytes, after.activationBytes, byteSize),
      ...row('activations at the peak', one.totals.peakActivationBytes, other.totals.peakActivationBytes, byteSize),
    ];
  }

  #openSizes(): Block[] {
    const open = [...new Set([...this.#found.before.openDims, ...this.#found.after.openDims])];
    if (open.length === 0) return [];
    const text = `numbers need sizes: --set ${open.map((name) => `${name}=…`).join(',')}`;
    return [{ kind: 'line', text }];
  }

  #carried(): Block[] {
    const { carried, before, after } = this.#found;
    const { weights, parameters } = carried;
    if (before.weights.length + after.weights.length === 0) return [];
    const all = parameters.carried + parameters.initial;
    const share = all === 0 ? '' : ` (${((100 * parameters.carried) / all).toFixed(1)} %)`;
    return [
      {
        kind: 'line',
        text: `gives ${after.model} ${weights.carried} of ${weights.carried + weights.initial} weights by name and shape: ${count(parameters.carried)} of ${count(all)} parameters${share}`,
      },
      ...(weights.initial > 0
        ? [
            {
              kind: 'line',
              text: `${plural(weights.initial, 'weight')} of it ${weights.initial === 1 ? 'stays' : 'stay'} initial: ${count(parameters.initial)} parameters`,
            } as const,
          ]
        : []),
      ...(weights.unused > 0
        ? [
            {
              kind: 'line',
              text: `${plural(weights.unused, 'weight')} of the checkpoint ${weights.unused === 1 ? 'is' : 'are'} not used`,
            } as const,
          ]
        : []),
    ];
  }
}

function code(title: string, lines: readonly DifferenceLine[]): Block[] {
  return lines.length === 0 ? [] : [{ kind: 'code', title, lines }];
}

function parametersOf(weights: readonly GraphWeight[]): number {
  return weights.reduce((n, weight) => n + (weight.role === 'param' ? elementsOf(weight) : 0), 0);
}

function settingText(path: string, setting: Setting | undefined): string {
  switch (setting?.kind) {
    case undefined:
      return '';
    case 'part': {
      const { module, written } = setting;
      // The text of a list says nothing about one of its items.
      if (written.text === '' || (path.endsWith(']') && written.text.startsWith('['))) return module;
      return written.text.startsWith(`${module}(`) ? written.text : `${module}: ${written.text}`;
    }
    case 'shared':
      return `is ${setting.of}`;
    case 'absent':
    case 'parameter':
      return setting.value;
  }
}

export function placeText(place: Place | undefined): string {
  return place ? `${place.file}:${place.line}` : '';
}

function arrow(before: string | undefined, after: string | undefined): string {
  if (before === after) return before ?? '';
  return [before ?? '(none)', after ?? '(none)'].join(' -> ');
}

const count = (n: number): string => n.toLocaleString('en');

function amount(quantity: Quantity, unit: (n: number) => string): string {
  return typeof quantity === 'string' ? quantity : unit(quantity);
}

function signed(change: number, unit: (n: number) => string): string {
  if (change === 0) return '';
  return `${change < 0 ? '-' : '+'}${unit(Math.abs(change))}`;
}

function percentage(before: number, after: number): string {
  if (before === 0) return '';
  const percent = (100 * (after - before)) / before;
  return ` (${percent < 0 ? '' : '+'}${percent.toFixed(1)} %)`;
}

/** Cuts sums between terms, and all else at its end. */
function shortened(cell: string): string {
  if (cell.length <= widestCell) return cell;
  const [before, after, ...more] = cell.split(' -> ');
  if (before !== undefined && after !== undefined && more.length === 0)
    return [before, after].map((side) => cut(side, widestCell / 2)).join(' -> ');
  return cut(cell, widestCell);
}

function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return / [+-] /.test(text) ? leadingTerms(text, width) : `${text.slice(0, width - 2)} …`;
}

/**
 * Makes a row of each item; items whose paths differ only in numbers and whose rows are the same become one, with the
 * numbers in brackets: `mid.layer[3..5]`.
 */
function gathered<T>(
  items: readonly T[],
  pathOf: (item: T) => string,
  cellsOf: (item: T) => readonly string[],
  mark = '',
): string[][] {
  const groups = new Map<string, { readonly paths: string[]; readonly cells: readonly string[] }>();
  for (const item of items) {
    const path = pathOf(item);
    const cells = cellsOf(item);
    const key = JSON.stringify([path.replace(/\d+/g, '#'), cells]);
    const group = groups.get(key);
    if (group) group.paths.push(path);
    else groups.set(key, { paths: [path], cells });
  }
  return [...groups.values()].map(({ paths, cells }) => [`${mark}${mergedPath(paths)}`, ...cells]);
}

/** `a[0].b` and `a[1].b` become `a[0..1].b`; weights' paths `a.0.b` likewise. */
function mergedPath(paths: readonly string[]): string {
  const [first = [], ...others] = paths.map((path) => path.split(/(\d+)/));
  let isVaried = false;
  const pieces = first.map((piece, i) => {
    const numbers = [...new Set([piece, ...others.map((other) => other[i] ?? '')])];
    if (numbers.length === 1) return piece;
    isVaried = true;
    return ranges(numbers.map(Number).sort((a, b) => a - b));
  });
  return isVaried && paths.length > 1 ? `${pieces.join('')}  (${paths.length})` : pieces.join('');
}

function ranges(numbers: readonly number[]): string {
  const found: [number, number][] = [];
  for (const n of numbers) {
    const last = found.at(-1);
    if (last && last[1] === n - 1) last[1] = n;
    else found.push([n, n]);
  }
  return found.map(([from, to]) => (from === to ? String(from) : `${from}..${to}`)).join(',');
}
