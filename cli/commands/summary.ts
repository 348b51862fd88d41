import { type Quantity, type SummaryModule, summarise } from '../../runtime/build/model-summary.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { compileFile } from '../compile-file.ts';
import type { Io } from '../io.ts';
import { leadingTerms } from '../leading-terms.ts';
import { printJson, printText } from '../print.ts';
import { table } from '../table.ts';
import { shortCount } from '../units.ts';

export interface SummaryOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly depth: number;
  readonly wide?: boolean;
  readonly json?: boolean;
}

interface Row extends SummaryModule {
  /** Whether only an `output(train)` depends on it. */
  readonly forLosses: boolean;
}

export function summary(io: Io, file: string, options: SummaryOptions): number {
  const compiled = compileFile(io, file, options.model, options.set);
  if (!compiled) return 1;
  const found = summarise(compiled);
  const { model, docs, inputs, outputs, training, openDims: open, peakActivationBytes: peak } = found;
  if (options.json) {
    printJson(io, {
      model,
      parameters: found.parameters,
      flops: found.flops,
      activationBytes: found.activationBytes,
      trafficBytes: found.trafficBytes,
      peakActivationBytes: peak ?? null,
      bindings: Object.fromEntries(compiled.dims),
      inputs,
      outputs,
      modules: found.modules,
      weights: found.weights,
      training,
    });
    return 0;
  }
  const rows: Row[] = [
    ...found.modules.map((module) => ({ ...module, forLosses: false })),
    ...training.modules.map((module) => ({ ...module, forLosses: true })),
  ];
  const print = (text: string) => printText(io, `${text}\n`);
  print(`${model}${docs ? `: ${firstSentence(docs)}` : ''}`);
  for (const { name, type } of inputs) print(`  input  ${name}: ${type}`);
  for (const { name, type } of outputs) print(`  output ${name}: ${type}`);
  for (const { name, type } of training.outputs) print(`  output(train) ${name}: ${type}`);
  const cells = asTree(rows)
    .filter((row) => depthOf(row.path) <= options.depth)
    .map((row) => [
      `${'  '.repeat(depthOf(row.path) - 1)}${row.path.split('.').pop()}${row.forLosses ? ' (train)' : ''}`,
      row.module,
      shownOutputs(row.outputs),
      row.parameters === 0 ? '' : row.parameters.toLocaleString('en'),
      amount(row.flops, shortCount),
      amount(row.activationBytes, byteSize),
    ]);
  const fitted = options.wide ? cells : cells.map((row) => row.map((cell) => leadingTerms(cell, widestCell)));
  const [flops, all] = [amount(found.flops, shortCount), amount(found.activationBytes, byteSize)].map((sum) =>
    options.wide ? sum : leadingTerms(sum, widestTotal),
  );
  const heads = ['', 'module', 'output', 'parameters', 'FLOP', 'activations'];
  print(`\n${table(heads, fitted, ['left', 'left', 'left', 'right', 'right', 'right'], terminalWidth(io.stdout))}\n`);
  const further = training.weights.filter(({ role }) => role === 'param');
  const trained = further.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0);
  const also = trained === 0 ? '' : `, and ${trained.toLocaleString('en')} more in training`;
  print(`parameters   ${found.parameters.toLocaleString('en')}${also}`);
  print(`FLOP         ${flops}`);
  if (peak !== undefined) print(`activations  ${all} in all, ${byteSize(peak)} at the peak`);
  else {
    print(`activations  ${all} (bytes)`);
    print(`peak         known when every dim is bound (--set ${open.map((name) => `${name}=…`).join(',')})`);
    if (!options.wide && [...fitted.flat(), flops, all].some((text) => text?.includes('…')))
      print('\nWhere … stands, terms are left out; --wide and --json have them all.');
  }
  return 0;
}

/** Orders the rows as a tree: each module after the module that contains it, siblings in the order of first use. */
function asTree(rows: readonly Row[]): Row[] {
  const below = new Map<string, Row[]>();
  for (const row of rows) {
    const parent = row.path.slice(0, Math.max(0, row.path.lastIndexOf('.')));
    below.set(parent, [...(below.get(parent) ?? []), row]);
  }
  const walk = (path: string): Row[] => (below.get(path) ?? []).flatMap((row) => [row, ...walk(row.path)]);
  return walk('');
}

function firstSentence(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  const end = line.search(/\.( |$)/);
  return end < 0 ? line : line.slice(0, end);
}

function depthOf(path: string): number {
  return path.split('.').length;
}

function shownOutputs([first, ...more]: readonly string[]): string {
  if (first === undefined) return '';
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

function amount(quantity: Quantity, unit: (n: number) => string): string {
  if (typeof quantity === 'string') return quantity;
  return quantity === 0 ? '' : unit(quantity);
}

/** Without `--wide`: maximum width of a cell, and of a total below the table, in characters. */
const widestCell = 40;
const widestTotal = 100;
