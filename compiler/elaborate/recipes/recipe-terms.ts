import type { Span } from '../../../grammar/span.ts';
import type { Ident, RecipeMember } from '../../../grammar/tree.ts';
import type { Diagnostic, Note } from '../../diagnostics/diagnostic.ts';
import * as dims from '../../dims/dim.ts';
import { Builder } from '../../graphs/builder.ts';
import type { Node, Origin, Value } from '../../ir/graph.ts';
import type { Asked } from '../context/asked.ts';
import type { Context } from '../context/context.ts';
import type { Call, Val } from '../context/elaborated.ts';
import { DimScope, fileScope, graphBody, type Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asNumber, error, tensor } from '../context/values.ts';
import { evaluate } from '../eval/evaluate.ts';
import { itemOf } from '../eval/items.ts';
import { resolveType } from '../eval/signature.ts';
import { type Equation, isWritten } from '../models/flat-model.ts';
import type { ModelGraph } from '../models/model.ts';
import { failCircle } from '../report/circle.ts';
import { fail } from '../report/report.ts';
import type { FileScope } from '../source/file-scope.ts';

type InputMember = Extract<RecipeMember, { kind: 'input' }>;
type TermMember = Extract<RecipeMember, { kind: 'term' }>;

/** A member with the file in whose scope it is resolved. */
export interface Placed<M> {
  readonly decl: M;
  readonly file: FileScope;
}

/** The computed part of a recipe; of members with the same name, the one of the nearest recipe. */
export interface Equations {
  readonly inputs: ReadonlyMap<string, Placed<InputMember>>;
  readonly lets: ReadonlyMap<string, Placed<Equation>>;
  readonly terms: ReadonlyMap<string, Placed<TermMember>>;
  /** Names removed by a `without`, with its span. */
  readonly removed: ReadonlyMap<string, Span>;
}

/** The losses as a graph that continues the model's: see `Continuation`. */
export interface Losses {
  /** The recipe's own inputs. */
  readonly inputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  /** Scalars f32[], or plain numbers. */
  readonly terms: ReadonlyMap<string, Value | number>;
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  readonly given: ReadonlyMap<Value, Value>;
  /** The placeholders, by the names of the model's inputs and outputs. */
  readonly seen: ReadonlyMap<string, Value>;
}

export interface TermsOf {
  readonly name: Ident;
  readonly equations: Equations;
  /** The sizes that the recipe binds, with their spans. */
  readonly bindings: ReadonlyMap<string, { readonly value: number; readonly span: Span }>;
  /** Dims whose value is not a size. */
  readonly refused: ReadonlySet<string>;
}

/**
 * Elaborates the losses of a recipe, which can use the model's inputs and outputs and the recipe's own inputs and
 * lets. Each term must be a scalar.
 */
export function elaborateTerms(context: Context, recipe: TermsOf, model: ModelGraph): Losses {
  const { equations, bindings } = recipe;
  const dimScope = new DimScope(true);
  let { facts } = model;
  for (const [name, { value }] of bindings)
    facts = facts.assume({ kind: 'eq', left: dims.variable(name), right: dims.constant(value) });
  const graph = graphBody(new Builder(facts));
  const { build } = graph;
  const values = new Map<string, Val>();
  const given = new Map<Value, Value>();
  const seen = new Map<string, Value>();
  for (const { name, value } of [...model.inputs, ...model.outputs]) {
    build.origin = originIn(model, name);
    for (const d of value.type.shape) for (const v of dims.variables(d)) dimScope.known.set(v, dims.variable(v));
    const placeholder = build.input(name, value.type);
    given.set(placeholder, value);
    seen.set(name, placeholder);
    values.set(name, tensor(placeholder));
  }
  const { report } = context;
  // The cause of a wrong size may be the declaration of the recipe's own input.
  const noting: Context = {
    ...context,
    report: (d) => report({ ...d, notes: [...d.notes, ...inputsIn(context, equations, d)].slice(0, 3) }),
  };
  const bodyIn = (file: FileScope): Scope => ({
    ...fileScope(noting, file),
    hint: (name) => lossHint(model, equations, name),
    member: (name, span) => named(name, span),
    memberNames: () => [...values.keys(), ...equations.inputs.keys(), ...equations.lets.keys()].filter(isWritten),
    dims: dimScope,
    facts,
    graph,
  });
  // Lets are evaluated on first use, since a recipe has no order.
  const busy: Asked[] = [];
  const named = (name: string, span: Span): Val | undefined => {
    const known = values.get(name);
    const equation = equations.lets.get(name);
    if (known || !equation) return known;
    const waiting = busy.findIndex((one) => one.name === name);
    if (waiting >= 0) return failCircle(context, busy.slice(waiting), span);
    busy.push({ name, span: equation.decl.span, nearness: undefined });
    const value = equated(equation);
    busy.pop();
    values.set(name, value);
    return value;
  };
  const equated = ({ decl, file }: Placed<Equation>): Val => {
    if (decl.kind === 'model-let') return evaluate(bodyIn(file), decl.value);
    const { whole, names, position } = decl;
    const held = equations.lets.get(whole)?.decl;
    const span = held?.kind === 'model-let' ? held.value.span : decl.span;
    return itemOf({ context }, { names, span }, position, named(whole, span) ?? error);
  };
  const inputs: { name: string; value: Value; docs: string }[] = [];
  for (const [name, { decl: member, file }] of equations.inputs) {
    const taken = model.inputs.some((input) => input.name === name) ? 'an input' : 'an output';
    if (values.has(name)) {
      fail({ context }, 'CROB2326', member.name.span, { name, what: `${taken} of ${model.flat.name}` });
      continue;
    }
    const type = resolveType(bodyIn(file), member.type, new Map());
    if (type?.kind !== 'tensor') {
      if (type)
        fail({ context }, 'CROB2201', member.type.span, { expected: 'a tensor type', actual: `a ${type.kind}` });
      values.set(name, error);
      continue;
    }
    build.origin = { span: member.span, path: '', label: `input ${name}` };
    const value = build.input(name, type.type);
    inputs.push({ name, value, docs: member.docs.join('\n') });
    values.set(name, tensor(value));
  }
  for (const [name, { decl }] of equations.lets) named(name, decl.name.span);
  const terms = new Map<string, Value | number>();
  for (const [name, { decl: member, file }] of equations.terms) {
    const value = evaluate(bodyIn(file), member.value);
    const number = asNumber(value);
    if (value.kind === 'tensor' && value.value.type.shape.length === 0 && value.value.type.dtype === 'f32')
      terms.set(name, value.value);
    else if (number !== undefined) terms.set(name, number);
    else if (value.kind !== 'error') refuseTerm(context, member, value);
  }
  checkDims(context, recipe, model, dimScope);
  return { inputs, terms, nodes: build.nodes, calls: graph.calls, given, seen };
}

/** The origin of a value of the model: the recipe's messages show no steps before it. */
function originIn(model: ModelGraph, name: string): Origin {
  const { flat } = model;
  const declared = flat.inputs.get(name) ?? flat.outputs.get(outputOf(model, name));
  const span = declared?.decl.name.span;
  return { span, path: '', label: `${flat.inputs.has(name) ? 'input' : 'output'} ${name}` };
}

/** Returns the name of the declared output; the ports of a list output have its name and an index. */
export function outputOf({ flat }: ModelGraph, name: string): string {
  return flat.outputs.has(name) ? name : name.replace(/_\d+$/, '');
}

function inputsIn({ run: { program } }: Context, { inputs }: Equations, { span, code }: Diagnostic): readonly Note[] {
  if (!code.startsWith('CROB21')) return [];
  const words = new Set(program.text(span).match(/\w+/g) ?? []);
  return [...inputs].flatMap(([name, { decl }]) =>
    words.has(name) ? [{ span: decl.span, text: `\`${name}\` is declared here` }] : [],
  );
}

/** The help for an unknown name in a loss: what losses can use. */
function lossHint({ flat, inputs, outputs }: ModelGraph, equations: Equations, name: string): string {
  if (equations.removed.has(name))
    return `a \`without ${name}\` has taken it out: what reads it is taken out or given anew`;
  if (flat.lets.has(name))
    return `\`${name}\` is a \`let\` of ${flat.name}, and losses see its outputs: \`output(train) ${name}\` makes it one`;
  const list = (values: readonly { readonly name: string }[]) => values.map((one) => one.name).join(', ');
  const own = [...equations.inputs.keys(), ...[...equations.lets.keys()].filter(isWritten)];
  const seen = [
    `losses see the outputs ${list(outputs)} and the inputs ${list(inputs)} of ${flat.name}`,
    ...(own.length > 0 ? [`${own.join(', ')} of the recipe`] : []),
  ];
  return `${seen.join(', and ')}; what else they need is an input of the recipe: \`input ${name}: f32[…]\``;
}

function refuseTerm(context: Context, member: TermMember, value: Val): void {
  const axes = value.kind === 'tensor' ? value.value.type.shape.length : 0;
  const actual =
    value.kind !== 'tensor'
      ? describe(value)
      : axes > 0
        ? `a tensor of ${axes} ${axes === 1 ? 'axis' : 'axes'}`
        : `of dtype ${value.value.type.dtype}`;
  const help =
    axes > 0 ? 'reduce it, for example with mean(x, "b c h w -> ")' : 'a loss is an f32 number: f32(x) converts';
  fail({ context }, 'CROB2324', member.value.span, { name: member.name.name, actual }, { help });
}

function checkDims(context: Context, recipe: TermsOf, model: ModelGraph, dimScope: DimScope): void {
  const { name: recipeName, bindings, refused } = recipe;
  const known = [...dimScope.known.keys()];
  for (const [name, { span }] of bindings) {
    if (known.includes(name)) continue;
    const help = `the dims of ${model.flat.name} are ${known.join(', ')}`;
    fail({ context }, 'CROB2116', span, { name }, { help });
  }
  const free = known.filter((name) => !bindings.has(name) && !refused.has(name) && !name.includes('['));
  if (free.length === 0) return;
  const sizes = free.map((name) => `${name} = …`).join(', ');
  fail(
    { context },
    'CROB2325',
    recipeName.span,
    { name: recipeName.name, dim: free.join(', ') },
    { help: `recipe ${recipeName.name} for ${model.flat.name} at ${sizes}` },
  );
}
