import { asConstant, constant, type Dim, isOverflow, variables } from '../../compiler/dims/dim.ts';
import { outline } from '../../compiler/elaborate/models/outline.ts';
import { costByModule, type ModuleCost } from '../../compiler/ir/cost.ts';
import type { Graph, TensorType } from '../../compiler/ir/graph.ts';
import { memory } from '../../compiler/ir/liveness.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { byteSize } from '../../runtime/byte-size.ts';
import { weightsOf } from '../../runtime/graph-weights.ts';
import { compileFile } from '../compile-file.ts';
import { leadingTerms } from '../leading-terms.ts';
import { beyondExact } from '../sizes.ts';
import { table } from '../table.ts';
import { shortCount } from '../units.ts';

export interface SummaryOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly depth: number;
  readonly wide?: boolean;
  readonly json?: boolean;
}

/** A number when every dim is bound, else the polynomial. */
type Quantity = number | string;

interface Row extends Quantities {
  readonly path: string;
  readonly module: string;
  readonly outputs: readonly string[];
}

interface Quantities {
  readonly parameters: number;
  readonly flops: Quantity;
  /** What its operators compute, each result once. */
  readonly activationBytes: Quantity;
  /** What its operators read and write, weights included. */
  readonly trafficBytes: Quantity;
}

export function summary(file: string, options: SummaryOptions): number {
  const compiled = compileFile(file, options.model, options.set);
  if (!compiled) return 1;
  const { dims } = compiled;
  const bound = new Map<string, Dim>([...dims].map(([name, n]) => [name, constant(n)]));
  const graph = runPipeline(compiled.graph);
  const costs = costByModule(graph);
  if (Object.values(costs.get('')!).some((cost) => typeof cost === 'object' && isOverflow(cost)))
    throw beyondExact({ model: graph.name, dims });
  const entries = outline(compiled.model, bound);
  const rows: Row[] = [];
  for (const [path, cost] of costs) {
    if (path === '') continue;
    const entry = entries.get(path);
    rows.push({
      path,
      module: entry?.module ?? '',
      outputs: (entry?.outputs ?? []).map((type) => shown(type, graph)),
      ...quantities(cost, graph),
    });
  }
  const total = quantities(costs.get('')!, graph);
  const open = openDims(graph);
  const peak = open.length > 0 ? undefined : memory(graph, new Map()).peakBytes;
  if (options.json) {
    const json = {
      model: graph.name,
      ...total,
      peakActivationBytes: peak ?? null,
      bindings: Object.fromEntries(dims),
      inputs: graph.inputs.map((i) => ({ name: i.name, type: shown(i.value.type, graph) })),
      outputs: graph.outputs.map((o) => ({ name: o.name, type: shown(o.value.type, graph) })),
      modules: rows,
      weights: weightsOf(graph).map(({ path, dtype, shape, role }) => ({ path, dtype, shape, role })),
    };
    process.stdout.write(`${JSON.stringify(json, null, 2)}\n`);
    return 0;
  }
  const print = (line: string) => process.stdout.write(`${line}\n`);
  print(`${graph.name}${graph.docs ? `: ${firstSentence(graph.docs)}` : ''}`);
  for (const input of graph.inputs) print(`  input  ${input.name}: ${shown(input.value.type, graph)}`);
  for (const output of graph.outputs) print(`  output ${output.name}: ${shown(output.value.type, graph)}`);
  const cells = asTree(rows)
    .filter((row) => depthOf(row.path) <= options.depth)
    .map((row) => [
      `${'  '.repeat(depthOf(row.path) - 1)}${row.path.split('.').pop()}`,
      row.module,
      shownOutputs(row.outputs),
      row.parameters === 0 ? '' : row.parameters.toLocaleString('en'),
      amount(row.flops, shortCount),
      amount(row.activationBytes, byteSize),
    ]);
  const fitted = options.wide ? cells : cells.map((row) => row.map((cell) => leadingTerms(cell, widestCell)));
  const [flops, all] = [amount(total.flops, shortCount), amount(total.activationBytes, byteSize)].map((sum) =>
    options.wide ? sum : leadingTerms(sum, widestTotal),
  );
  const heads = ['', 'module', 'output', 'parameters', 'FLOP', 'activations'];
  print(`\n${table(heads, fitted, ['left', 'left', 'left', 'right', 'right', 'right'])}\n`);
  print(`parameters   ${total.parameters.toLocaleString('en')}`);
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

/** Each module right below the one it is in, in the order in which the model first comes to them. */
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

function shown(type: TensorType, graph: Graph): string {
  return `${type.dtype}[${type.shape.map((d) => graph.facts.show(d)).join(', ')}]`;
}

function quantities(cost: ModuleCost, graph: Graph): Quantities {
  const value = (d: Dim): Quantity => asConstant(d) ?? graph.facts.show(d);
  return {
    parameters: asConstant(cost.parameters) ?? 0,
    flops: value(cost.flops),
    activationBytes: value(cost.activationBytes),
    trafficBytes: value(cost.bytes),
  };
}

/** Dims that nothing has bound, in the order of the inputs. */
function openDims(graph: Graph): string[] {
  return [...new Set(graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])))];
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

/** Widest cell of the table, and widest sum below it, in characters, without `--wide`. */
const widestCell = 40;
const widestTotal = 100;
