import { asConstant, constant, type Dim, variables } from '../../compiler/dims/dim.ts';
import { outline } from '../../compiler/elaborate/outline.ts';
import { costByModule, type ModuleCost } from '../../compiler/ir/cost.ts';
import type { Graph, TensorType } from '../../compiler/ir/graph.ts';
import { memory } from '../../compiler/ir/liveness.ts';
import { runPipeline } from '../../compiler/passes/pipeline.ts';
import { byteSize } from '../../runtime/byte-size.ts';
import { weightsOf } from '../../runtime/graph-weights.ts';
import { compileFile } from '../compile-file.ts';
import { readSettings } from '../settings.ts';
import { withinExact } from '../sizes.ts';
import { table } from '../table.ts';
import { shortCount } from '../units.ts';

export interface SummaryOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly depth: number;
  readonly json?: boolean;
}

interface Row {
  readonly path: string;
  readonly module: string;
  readonly outputs: readonly string[];
  readonly parameters: number;
  /** A number when every dim is bound, else the polynomial. */
  readonly flops: number | string;
  readonly bytes: number | string;
}

export function summary(file: string, options: SummaryOptions): number {
  const compiled = compileFile(file, options.model, options.set);
  if (!compiled) return 1;
  const { dims } = readSettings(options.set);
  const bound = new Map<string, Dim>([...dims].map(([name, n]) => [name, constant(n)]));
  const graph = runPipeline(compiled.graph);
  const costs = withinExact({ model: graph.name, dims }, () => costByModule(graph));
  const entries = outline(compiled.model, bound);
  const rows: Row[] = [];
  for (const [path, cost] of costs) {
    if (path === '') continue;
    const entry = entries.get(path);
    rows.push({
      path,
      module: entry?.module ?? '',
      outputs: (entry?.outputs ?? []).map((type) => shown(type, graph)),
      ...numbers(cost, graph),
    });
  }
  const total = numbers(costs.get('')!, graph);
  const open = openDims(graph);
  const peak = open.length > 0 ? undefined : memory(graph, new Map()).peakBytes;
  if (options.json) {
    const json = {
      model: graph.name,
      parameters: total.parameters,
      flops: total.flops,
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
  const shownRows = asTree(rows).filter((row) => depthOf(row.path) <= options.depth);
  const lines = shownRows.map((row) => [
    `${'  '.repeat(depthOf(row.path) - 1)}${row.path.split('.').pop()}`,
    row.module,
    row.outputs[0] === undefined
      ? ''
      : row.outputs.length > 1
        ? `${row.outputs[0]} and ${row.outputs.length - 1} more`
        : row.outputs[0],
    row.parameters === 0 ? '' : row.parameters.toLocaleString('en'),
    amount(row.flops),
  ]);
  process.stdout.write(`${graph.name}${graph.docs ? `: ${firstSentence(graph.docs)}` : ''}\n`);
  for (const input of graph.inputs) process.stdout.write(`  input  ${input.name}: ${shown(input.value.type, graph)}\n`);
  for (const output of graph.outputs)
    process.stdout.write(`  output ${output.name}: ${shown(output.value.type, graph)}\n`);
  process.stdout.write(
    `\n${table(['', 'module', 'output', 'parameters', 'FLOP'], lines, ['left', 'left', 'left', 'right', 'right'])}\n\n`,
  );
  process.stdout.write(`parameters   ${total.parameters.toLocaleString('en')}\n`);
  process.stdout.write(`FLOP         ${amount(total.flops, true)}\n`);
  process.stdout.write(
    peak === undefined
      ? `activations  known when every dim is bound (--set ${open.map((name) => `${name}=…`).join(',')})\n`
      : `activations  ${byteSize(peak)} at the peak\n`,
  );
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

function numbers(
  cost: ModuleCost,
  graph: Graph,
): { parameters: number; flops: number | string; bytes: number | string } {
  const value = (d: Dim) => asConstant(d) ?? graph.facts.show(d);
  return { parameters: asConstant(cost.parameters) ?? 0, flops: value(cost.flops), bytes: value(cost.bytes) };
}

/** Dims that nothing has bound, in the order of the inputs. */
function openDims(graph: Graph): string[] {
  return [...new Set(graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])))];
}

function depthOf(path: string): number {
  return path.split('.').length;
}

function amount(flops: number | string, whole = false): string {
  if (typeof flops === 'string') return whole || flops.length <= 28 ? flops : `${flops.slice(0, 25)}...`;
  return flops === 0 ? '' : shortCount(flops);
}
