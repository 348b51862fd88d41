import { asConstant, constant, type Dim, isOverflow, variables } from '../../compiler/dims/dim.ts';
import { inlineWithLossOutputs } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { outline } from '../../compiler/elaborate/models/outline.ts';
import { costByModule, type ModuleCost } from '../../compiler/graphs/cost.ts';
import { memory } from '../../compiler/graphs/liveness.ts';
import type { Graph, GraphOutput } from '../../compiler/ir/graph.ts';
import type { TensorType } from '../../compiler/ir/types.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { byteSize } from '../../runtime/files/byte-size.ts';
import { type GraphWeight, weightsOf } from '../../runtime/weights/graph-weights.ts';
import { compileFile } from '../compile-file.ts';
import { leadingTerms } from '../leading-terms.ts';
import { printJson, printText } from '../print.ts';
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

/** A model with its outputs for losses, and what these add. */
interface LossParts {
  readonly graph: Graph;
  readonly outputs: readonly GraphOutput[];
  readonly weights: readonly GraphWeight[];
}

/** A number when every dim is bound, else the polynomial. */
type Quantity = number | string;

interface Row extends Quantities {
  readonly path: string;
  readonly module: string;
  readonly outputs: readonly string[];
  /** Only `output(train)` depends on it. */
  readonly forLosses: boolean;
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
  const rowsOf = (of: Graph, costs: ReadonlyMap<string, ModuleCost>, forLosses: boolean): Row[] =>
    [...costs].flatMap(([path, cost]) => {
      if (path === '') return [];
      const entry = entries.get(path);
      const outputs = (entry?.outputs ?? []).map((type) => shown(type, of));
      return [{ path, module: entry?.module ?? '', outputs, ...quantities(cost, of), forLosses }];
    });
  const rows = rowsOf(graph, costs, false);
  const losses = compiled.model.lossOutputs.length === 0 ? undefined : forLosses(compiled.model, bound, graph);
  if (losses) {
    const more = [...costByModule(losses.graph)].filter(([path]) => !costs.has(path));
    rows.push(...rowsOf(losses.graph, new Map(more), true));
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
      modules: rows.filter((row) => !row.forLosses).map(({ forLosses: _, ...row }) => row),
      weights: weightsOf(graph).map(listed),
      training: {
        outputs: (losses?.outputs ?? []).map((o) => ({ name: o.name, type: shown(o.value.type, graph) })),
        modules: rows.filter((row) => row.forLosses).map(({ forLosses: _, ...row }) => row),
        weights: (losses?.weights ?? []).map(listed),
      },
    };
    printJson(json);
    return 0;
  }
  const print = (text: string) => printText(`${text}\n`);
  print(`${graph.name}${graph.docs ? `: ${firstSentence(graph.docs)}` : ''}`);
  for (const input of graph.inputs) print(`  input  ${input.name}: ${shown(input.value.type, graph)}`);
  for (const output of graph.outputs) print(`  output ${output.name}: ${shown(output.value.type, graph)}`);
  for (const output of losses?.outputs ?? [])
    print(`  output(train) ${output.name}: ${shown(output.value.type, graph)}`);
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
  const [flops, all] = [amount(total.flops, shortCount), amount(total.activationBytes, byteSize)].map((sum) =>
    options.wide ? sum : leadingTerms(sum, widestTotal),
  );
  const heads = ['', 'module', 'output', 'parameters', 'FLOP', 'activations'];
  print(`\n${table(heads, fitted, ['left', 'left', 'left', 'right', 'right', 'right'])}\n`);
  const further = (losses?.weights ?? []).filter(({ role }) => role === 'param');
  const trained = further.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0);
  const also = trained === 0 ? '' : `, and ${trained.toLocaleString('en')} more in training`;
  print(`parameters   ${total.parameters.toLocaleString('en')}${also}`);
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

/** What training has besides, for outputs that only losses see. */
function forLosses(model: ModelGraph, bound: ReadonlyMap<string, Dim>, inference: Graph): LossParts {
  const graph = runPipeline(inlineWithLossOutputs(model, bound));
  const held = new Set(weightsOf(inference).map(({ path }) => path));
  return {
    graph,
    outputs: graph.outputs.slice(model.outputs.length),
    weights: weightsOf(graph).filter(({ path }) => !held.has(path)),
  };
}

function listed({ path, dtype, shape, role }: GraphWeight) {
  return { path, dtype, shape, role };
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
