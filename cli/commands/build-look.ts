import type { Graph, Node } from '../../compiler/ir/graph.ts';
import { print } from '../../compiler/ir/print.ts';
import { groupedBy } from '../../compiler/lists.ts';
import {
  type Explanation,
  explaining,
  type LeftNode,
  type ListedRule,
  listedRules,
  type Misses,
} from '../../compiler/passes/explain.ts';
import { type PassObserver, pipeline, runPipeline } from '../../compiler/passes/pipeline.ts';
import type { Training } from '../../compiler/training/compile-training.ts';
import { differentiate } from '../../compiler/training/differentiated.ts';
import { trainingStep } from '../../compiler/training/step.ts';
import { nearest } from '../../grammar/nearest.ts';
import { originPlace } from '../../runtime/build/origin-place.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { compileFile } from '../compile-file.ts';
import { compileTrainingFile } from '../compile-training.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { printJson, printLine, printText } from '../print.ts';
import type { BuildOptions } from './build-options.ts';

/** Whether `crobc build` shows what passes do (`--print-after`, `--explain`) instead of building. */
export function isLook({ printAfter, explain }: BuildOptions): boolean {
  return printAfter !== undefined || explain !== undefined;
}

/** Options for files that a build reads or writes; they have no effect where nothing is built. */
export const forFiles = ['weights', 'via', 'seed', 'out'];

/** `crobc build --print-after PASS` and `--explain RULE`: prints what passes do to a graph. Writes no files. */
export function look(io: Io, file: string, options: BuildOptions, given: ReadonlySet<string>): number {
  const { printAfter, explain } = options;
  const unused = forFiles.find((name) => given.has(name));
  if (unused) throw new UsageError(`--${unused} is for what is built, and --print-after and --explain write nothing`);
  if (options.graph === 'step' && options.dtype !== 'f32')
    throw new UsageError(
      'a training step is computed in the precision of its recipe: leave --dtype out, or add --set recipe.precision=f16',
    );
  if (printAfter !== undefined && explain !== undefined)
    throw new UsageError('--print-after and --explain show different things: give one of them');
  if (printAfter === 'list') {
    printText(
      io,
      stages(options)
        .map((name) => `${name}\n`)
        .join(''),
    );
    return 0;
  }
  if (explain === 'list') {
    for (const [rule, { passes }] of listedRules()) printLine(io, `${rule}  (${passes.join(', ')})`);
    return 0;
  }
  if (explain !== undefined) return explainRule(io, file, explain, options);
  if (options.json) throw new UsageError('--print-after prints the graph in its own notation: leave --json out');
  if (printAfter !== 'all') checkStage(printAfter!, options);
  let ran = false;
  const compiled = observe(io, file, options, {
    after: (pass, graph) => {
      if (printAfter !== 'all' && printAfter !== pass) return;
      ran = true;
      printText(io, `// after ${pass}\n${print(graph)}\n`);
    },
  });
  if (compiled && !ran)
    throw new UsageError(
      `the pass ${printAfter} runs only with a precision of bf16 or f16 (--set recipe.precision=bf16)`,
    );
  return compiled ? 0 : 1;
}

/** The values that `--print-after` takes: the passes and, for a training step, also the stages between them. */
function stages({ graph }: BuildOptions): readonly string[] {
  const passes = pipeline.map(({ name }) => name);
  return graph === 'step' ? [...passes, 'differentiate', 'step'] : passes;
}

function checkStage(name: string, options: BuildOptions): void {
  const known = stages(options);
  if (!known.includes(name)) {
    const meant = nearest(name, known);
    throw new UsageError(
      `there is no pass ${name}; ${meant ? `did you mean ${meant}?` : `there are ${known.join(', ')}`}`,
    );
  }
  const pass = pipeline.find((one) => one.name === name);
  if (pass?.only && options.graph !== 'step' && !pass.only.includes(options.dtype))
    throw new UsageError(`the pass ${name} runs only with --dtype ${pass.only.join(' or ')}`);
}

/** Returns where a node was written: `crobim.crob:33`. */
type Places = (node: Node) => string;

/** Compiles the requested graph and runs its passes with the observer; undefined if there are errors. */
function observe(io: Io, file: string, options: BuildOptions, observer: PassObserver): Places | undefined {
  if (options.graph === 'step') {
    const compiled = compileTrainingFile(io, file, { model: options.model, recipe: undefined, set: options.set });
    if (!compiled) return undefined;
    stepUnder(compiled.training, options.recompute ?? [], observer);
    return ({ origin }) => originPlace(compiled.program, origin) ?? '';
  }
  if (options.recompute !== undefined)
    throw new UsageError('--recompute changes the training step alone: add --graph step');
  const compiled = compileFile(io, file, options.model, options.set);
  if (!compiled) return undefined;
  runPipeline(compiled.graph, { dtype: options.dtype, ...observer });
  return ({ origin }) => originPlace(compiled.program, origin) ?? '';
}

function stepUnder(training: Training, recompute: readonly string[], observer: PassObserver): Graph {
  const { precision } = training.recipe;
  const half = precision === 'bf16' || precision === 'f16' ? { type: precision, emulated: false } : undefined;
  const differentiated = differentiate(training, recompute, observer, half);
  const { graph } = trainingStep(differentiated);
  observer.after?.('step', graph);
  return graph;
}

/** Maximum number of replaced nodes that are listed; `--json` lists all of them. */
const mostListed = 20;

function explainRule(io: Io, file: string, name: string, options: BuildOptions): number {
  const rules = listedRules();
  const rule = rules.get(name);
  if (!rule) {
    const meant = nearest(name, [...rules.keys()]);
    throw new UsageError(`there is no rule ${name}; ${meant ? `did you mean ${meant}?` : '--explain list names them'}`);
  }
  const explained = explaining(name);
  const placeOf = observe(io, file, options, { trace: explained.trace });
  if (!placeOf) return 1;
  const found = explained.explanation();
  if (options.json) printJson(io, asJson(name, rule, found, placeOf));
  else for (const line of shown(name, rule, found, placeOf)) printLine(io, line);
  return 0;
}

function asJson(rule: string, listed: ListedRule, { fired, missed }: Explanation, placeOf: Places) {
  const shownNode = (node: Node) => ({ op: node.op, module: node.origin.path, place: placeOf(node) });
  const shownLeft = ({ node, has, at }: LeftNode) => ({ ...shownNode(node), has, at: shownNode(at) });
  return {
    rule,
    ...listed,
    fired: fired.map(shownNode),
    missed: missed.map(({ needs, left }) => ({ needs, nodes: left.map(shownLeft) })),
  };
}

function shown(
  rule: string,
  { passes, patterns }: ListedRule,
  { fired, missed }: Explanation,
  placeOf: Places,
): string[] {
  const where = (node: Node): string =>
    [node.op, node.origin.path && `in ${node.origin.path}`, placeOf(node)].filter((part) => part !== '').join('  ');
  const count = missed.reduce((sum, { left }) => sum + left.length, 0);
  const more = fired.length - mostListed;
  return [
    `${rule} (${passes.join(', ')}): ${plural(fired.length, 'node')} replaced, ${count.toLocaleString('en')} looked at and left`,
    ...patterns.map((pattern) => `  pattern   ${pattern}`),
    ...fired.slice(0, mostListed).map((node) => `  replaced  ${where(node)}`),
    ...(more > 0 ? [`            and ${more.toLocaleString('en')} more; --json has them all`] : []),
    ...missed.flatMap((misses) => shownMisses(misses, where)),
  ];
}

/** Maximum number of kinds of nodes that are listed as found instead of what a pattern needs. */
const mostKinds = 3;

function shownMisses({ needs, left }: Misses, where: (node: Node) => string): string[] {
  const kinds = [...groupedBy(left, ({ has }) => has)].sort(([, a], [, b]) => b.length - a.length);
  const counted = kinds.slice(0, mostKinds).map(([has, nodes]) => `${has} (${nodes.length.toLocaleString('en')})`);
  const others = kinds.length > mostKinds ? ' and others' : '';
  const [{ node, at }] = left;
  return [
    `  left      ${left.length.toLocaleString('en')}: needs ${needs}; has ${counted.join(', ')}${others}`,
    `            first ${where(node)}${at === node ? '' : `, has ${where(at)}`}`,
  ];
}
