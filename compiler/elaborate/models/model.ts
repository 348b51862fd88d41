import type { Span } from '../../../grammar/span.ts';
import type { Attribute, Param } from '../../../grammar/tree.ts';
import { nodesBelow } from '../../../grammar/within.ts';
import type { Diagnostic } from '../../diagnostics/diagnostic.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { Facts } from '../../dims/facts.ts';
import { Builder } from '../../graphs/builder.ts';
import type { Guard, Node, Value } from '../../ir/graph.ts';
import { guardOf } from '../../ir/guard-clause.ts';
import type { Asked } from '../context/asked.ts';
import { type Context, ownerKey, unjudged } from '../context/context.ts';
import type { Call, GraphType, Instance, NamedValue, Read, Val } from '../context/elaborated.ts';
import { childPath } from '../context/paths.ts';
import { DimScope, fileScope, type GraphBody, graphBody, type Scope } from '../context/scope.ts';
import { describe, showStatic } from '../context/show-value.ts';
import { error, hasError, tensor } from '../context/values.ts';
import { fitStatic } from '../eval/arguments.ts';
import { record } from '../eval/declare.ts';
import { evaluate } from '../eval/evaluate.ts';
import { itemOf } from '../eval/items.ts';
import { assumeAll, conditions, resolveType } from '../eval/signature.ts';
import { checkAttributes } from '../modules/declared.ts';
import { inPlaceOf } from '../modules/interfaces.ts';
import { isPart, partKinds, partsOf, pathText, place } from '../modules/members.ts';
import { listOverrides, stepText } from '../modules/overrides.ts';
import { slotOf } from '../modules/slots.ts';
import { failCircle } from '../report/circle.ts';
import { definitions, siteIn } from '../report/definitions.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/file-scope.ts';
import { type FlatModel, type FromField, isWritten } from './flat-model.ts';
import { GivenValues } from './given-values.ts';
import type { OverrideLines, OverrideUse } from './override-lines.ts';
import { checkPortNames, portsOf } from './ports.ts';
import { unreadNames } from './unread.ts';
import { type GoneUse, Uses } from './uses.ts';

/**
 * An elaborated model: its instances are constructed and its body is type-checked. `inline` makes a flat graph of
 * it.
 */
export interface ModelGraph {
  readonly flat: FlatModel;
  readonly inputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  readonly outputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  /** In inference mode, the `output(train)`s, which are not outputs there. */
  readonly lossOutputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  /** The tensors of its `let`s. */
  readonly named: readonly NamedValue[];
  /** Always empty: only methods have updates. */
  readonly updates: readonly never[];
  readonly facts: Facts;
  readonly guards: readonly Guard[];
  readonly instances: ReadonlyMap<string, Val>;
  /** Returns the parts of an instance by name, including parts that no method uses. */
  partsOf(instance: Instance): ReadonlyMap<string, Val>;
  /** The values of static parameters, as recorded in the manifest. */
  readonly params: ReadonlyMap<string, Val>;
  /** Override lines inside parts. */
  readonly overrides: readonly OverrideUse[];
  /** Lets, inputs and parameters that no output, part or condition depends on. */
  readonly unread: ReadonlySet<string>;
  /** The reads of the model itself. */
  readonly reads: readonly Read[];
}

export function elaborateModel(context: Context, flat: FlatModel): ModelGraph | undefined {
  return new ModelElaboration(context, flat).run();
}

/** Elaborates a model. Names are evaluated on first use, since the body has no order. */
class ModelElaboration {
  readonly #context: Context;
  readonly #flat: FlatModel;
  readonly #values = new Map<string, Val>();
  readonly #shadows = new Map<string, Val>();
  /**
   * Names under evaluation, as a part or as a shadow, each with the length of the run's `asked` list when it was
   * requested.
   */
  readonly #busy = new Map<string, number>();
  readonly #uses = new Uses();
  readonly #given: GivenValues;
  readonly #lines: OverrideLines;
  readonly #dims: DimScope;
  readonly #guards: Guard[] = [];
  readonly #inputs: { name: string; value: Value; docs: string }[] = [];
  readonly #scopes = new Map<FileScope, Scope>();
  /** Defined after the conditions, on which the facts of the graph depend. */
  #graph: GraphBody | undefined;
  #facts: Facts = Facts.none;
  /** False once a condition has an error, as the body would need what the condition says. */
  #isJudged = true;

  constructor(context: Context, flat: FlatModel) {
    const withoutConditions = unjudged(context);
    const report = (d: Diagnostic) => (this.#isJudged ? context : withoutConditions).report(d);
    this.#context = { ...context, report };
    this.#flat = flat;
    this.#dims = new DimScope(true);
    this.#given = new GivenValues(this.#context, flat, {
      shadows: this.#shadowScope,
      parts: this.#staticScope,
      index: this.#indexScope,
      linesBelow: (name) => this.#lines.below(name),
    });
    this.#lines = this.#given.linesOver(flat.overrides);
  }

  /**
   * Evaluates the conditions first, since a `where` may refer to statics of the model's parts
   * (`T <= text.positions`).
   */
  #conditions(): GraphBody {
    const { params, where, name } = this.#flat;
    const { program } = this.#context.run;
    for (const [i, { decl, file, model }] of where.entries()) {
      const scope: Scope = { ...this.#scopeWith(file, undefined), dims: this.#dims };
      const refused = () => {
        const clause = program.text(decl.span);
        const named = [...params.keys()].filter((one) => new RegExp(`\\b${one}\\b`).test(clause));
        const values = named.map((one) => `${one} is ${showStatic(this.#values.get(one))}`);
        const details = [...values, ...definitions(scope, [siteIn(scope, decl.span)])];
        fail({ context: this.#context }, 'CROB2207', decl.span, { clause, what: model }, { details });
      };
      const asking = { name: `where ${i}`, inherited: model !== name };
      const known = new Set(this.#dims.known.keys());
      const { found, areAll } = this.#uses.within(asking, () => conditions(scope, [decl], refused));
      // A condition on a removed part is dropped, and so are dims that only it mentions.
      if (this.#uses.namesGone(asking)) {
        for (const dim of this.#dims.known.keys()) if (!known.has(dim)) this.#dims.known.delete(dim);
      } else if (!areAll) this.#isJudged = false;
      this.#facts = assumeAll(scope, found).facts;
      for (const { clause, span } of found) this.#guards.push(guardOf(clause, program.text(span), span));
    }
    for (const clause of this.#context.run.assumed.get(ownerKey(this.#flat.decl.name.span)) ?? [])
      this.#facts = this.#facts.assume(clause);
    return graphBody(new Builder(this.#facts));
  }

  run(): ModelGraph | undefined {
    const context = this.#context;
    const flat = this.#flat;
    const graph = this.#conditions();
    this.#graph = graph;
    for (const name of [...flat.params.keys(), ...flat.fields.keys()]) this.#value(name);
    this.#checkOverridesUsed();
    for (const [name] of flat.inputs) this.#value(name);
    this.#dims.open = false;
    this.#checkDims();
    // In source order, which for most bodies is the order of the data flow, so that evaluation does not nest.
    for (const name of flat.lets.keys()) this.#value(name);
    const ports = [...flat.outputs].flatMap(([name, from]) =>
      this.#uses.within({ name: `output ${name}`, inherited: false }, () =>
        portsOf(this.#scope(from.file), from.decl, () => this.#value(name)),
      ),
    );
    const outputs = ports.filter(({ forLosses }) => context.training || !forLosses);
    checkPortNames(context, flat, this.#inputs, outputs);
    // An inherited `let` that no output needs may use removed parts; all other uses of them are errors.
    const own = [...flat.lets].flatMap(([name, { model }]) => (model === flat.name ? [name] : []));
    const needed = this.#uses.needed([...own, ...[...flat.outputs.keys()].map((name) => `output ${name}`)]);
    for (const use of needed) this.#refuseGone(use);
    if (![...flat.outputs.values()].some(({ decl }) => !decl.stage))
      fail({ context }, 'CROB2309', flat.decl.name.span, { name: flat.name });
    const instances = new Map<string, Val>();
    const params = new Map<string, Val>();
    for (const [name, value] of this.#values) {
      if (flat.fields.has(name) || (flat.params.has(name) && holdsInstance(value))) instances.set(name, value);
      else if (flat.params.has(name)) params.set(name, value);
    }
    return {
      flat,
      inputs: this.#inputs,
      outputs: outputs.map(({ name, value, docs }) => ({ name, value, docs })),
      lossOutputs: ports
        .filter((port) => !outputs.includes(port))
        .map(({ name, value, docs }) => ({ name, value, docs })),
      nodes: graph.build.nodes,
      calls: graph.calls,
      named: graph.named,
      updates: [],
      facts: this.#facts,
      guards: this.#guards,
      instances,
      partsOf: (instance) => partsOf(context, instance),
      params,
      overrides: this.#lines.all(),
      // A slot is a part; unused parts are reported with everything inside them.
      unread: unreadNames(flat, this.#uses, (name) => holdsInstance(this.#values.get(name) ?? error)),
      reads: this.#context.reads,
    };
  }

  #scopeWith(file: FileScope, graph: GraphBody | undefined): Scope {
    const { params, fields, inputs, lets, outputs, name, decl } = this.#flat;
    return {
      ...fileScope(this.#context, file),
      owner: { what: `model ${name}`, span: decl.name.span, isModel: true, promisedBy: undefined },
      member: (one, span) => (graph ? this.#value(one, span) : this.#static(one, span)),
      memberNames: () => [...params.keys(), ...fields.keys(), ...inputs.keys(), ...[...lets.keys()].filter(isWritten)],
      hint: (one) =>
        outputs.has(one) ? `an equation reads no output: \`let ${one} = …\`, and \`output ${one}\` of it` : undefined,
      dims: this.#dims,
      facts: this.#facts,
      graph,
    };
  }

  /** Whether a name is an input, or an equation that depends on one, directly or indirectly, and so is not static. */
  #isOfInputs(name: string, met = new Set<string>()): boolean {
    const { inputs, lets } = this.#flat;
    if (inputs.has(name)) return true;
    const equation = lets.get(name)?.decl;
    if (!equation || met.has(name)) return false;
    met.add(name);
    if (equation.kind === 'let-item') return this.#isOfInputs(equation.whole, met);
    for (const node of nodesBelow(equation.value))
      if (node.kind === 'name' && this.#isOfInputs(node.name, met)) return true;
    return false;
  }

  /** Evaluates a name where only static values are allowed. */
  #static(name: string, span: Span): Val | undefined {
    if (!this.#isOfInputs(name)) return this.#value(name, span);
    const { inputs, lets } = this.#flat;
    const what = inputs.has(name) ? `the input ${name}` : `the \`let\` of ${name}`;
    const declared = (inputs.get(name) ?? lets.get(name))?.decl.name.span;
    const notes = declared ? [{ span: declared, text: `\`${name}\` is declared here` }] : [];
    return fail({ context: this.#context }, 'CROB2208', span, { what }, { notes });
  }

  #scope(file: FileScope): Scope {
    let scope = this.#scopes.get(file);
    if (!scope) {
      scope = this.#scopeWith(file, this.#graph);
      this.#scopes.set(file, scope);
    }
    return scope;
  }

  /** A scope without tensors, for static parameters and modules. */
  readonly #staticScope = (file: FileScope): Scope => {
    return { ...this.#scopeWith(file, undefined), dims: new DimScope(false) };
  };

  readonly #shadowScope = (file: FileScope): Scope => {
    return { ...this.#staticScope(file), member: (name, span) => this.#shadow(name, span) };
  };

  /** A scope for indices in paths, which may refer to plain parameters of the model. */
  readonly #indexScope = (file: FileScope): Scope => {
    const { params } = this.#flat;
    const isPlain = (param: Param, of: FileScope) => !slotOf(param, of).slot;
    const member = (name: string, span: Span): Val | undefined => {
      const param = params.get(name);
      return param && isPlain(param.decl, param.file) ? this.#value(name, span) : undefined;
    };
    return { ...this.#staticScope(file), member };
  };

  #value(name: string, span?: Span): Val | undefined {
    this.#uses.note(name);
    const known = this.#values.get(name);
    if (known) return known;
    const flat = this.#flat;
    const decl = this.#declared(name);
    if (!decl) {
      const takenOut = flat.removed.get(name);
      if (!takenOut || !span) return undefined;
      const use = { name, takenOut, span };
      return this.#uses.mayGo(use) ? error : this.#refuseGone(use);
    }
    const equation = flat.lets.get(name);
    const inherited = equation !== undefined && equation.model !== flat.name;
    const make = () => this.#uses.within({ name, inherited }, () => this.#make(name));
    const value = this.#waiting(name, this.#asked(name, decl.span), span ?? decl.span, make);
    this.#values.set(name, value);
    if (equation && isWritten(name)) record(this.#scope(equation.file), name, value, equation.decl.name.span);
    return value;
  }

  /** Like `#value`, but a parameter or part may be a shadow, of which only members are read. */
  #shadow(name: string, span: Span): Val | undefined {
    const decl = (this.#flat.params.get(name) ?? this.#flat.fields.get(name))?.decl;
    if (!decl) return this.#static(name, span);
    this.#uses.note(name);
    const known = this.#values.get(name) ?? this.#shadows.get(name);
    if (known) return known;
    const make = () => this.#given.shadowOf(name);
    const value = this.#waiting(`shadow ${name}`, this.#asked(name, decl.span), span, make);
    this.#shadows.set(name, value);
    return value;
  }

  #asked(name: string, declared: Span): Asked {
    const anew = this.#flat.values.get(name);
    return { name, span: anew?.decl.span ?? declared, nearness: anew?.nearness };
  }

  #waiting(key: string, one: Asked, span: Span, make: () => Val): Val {
    const { asked } = this.#context.run;
    const waiting = this.#busy.get(key);
    if (waiting !== undefined) return failCircle(this.#context, asked.slice(waiting), span);
    this.#busy.set(key, asked.length);
    asked.push(one);
    const value = make();
    asked.pop();
    this.#busy.delete(key);
    return value;
  }

  #declared(name: string) {
    const { params, fields, inputs, lets } = this.#flat;
    return (params.get(name) ?? fields.get(name) ?? inputs.get(name) ?? lets.get(name))?.decl;
  }

  #refuseGone({ name, takenOut, span }: GoneUse): Val {
    const notes = [{ span, text: 'still used here' }];
    return fail({ context: this.#context }, 'CROB2307', takenOut, { name }, { notes });
  }

  #make(name: string): Val {
    const flat = this.#flat;
    const context = this.#context;
    const param = flat.params.get(name);
    if (param) {
      const given = this.#given.ofParam(name, param);
      if (!given) {
        const notes = [{ span: param.decl.span, text: 'declared here, without a default' }];
        return fail({ context }, 'CROB2010', flat.decl.name.span, { name, callee: flat.name }, { notes });
      }
      const scope = this.#staticScope(param.file);
      const { decl, file } = param;
      const instead =
        this.#flat.decl.base && given.value.kind === 'spec'
          ? inPlaceOf(name, given.value.spec.decl.name.name)
          : undefined;
      const value = fitStatic(scope, given.value, decl.type, given.span, decl.span, file, undefined, instead);
      if (!value) return error;
      const { slot, holes } = slotOf(decl, file);
      if (!slot || holes) return value;
      return place(context, { value, span: given.span }, { path: name, source: name }, this.#lines.below(name), false);
    }
    const field = flat.fields.get(name);
    if (field) {
      const { attributes, value: expr } = field.decl;
      checkAttributes(context, attributes, ['path']);
      const { value } = this.#given.ofField(name, field);
      if (!isPart(value) || (value.kind === 'none' && field.base !== undefined && !field.before))
        return this.#refuseField(name, field, value);
      const overrides = this.#lines.below(name);
      const { span } = expr;
      if (value.kind !== 'list')
        return place(
          context,
          { value, span },
          { path: this.#partPath(name, attributes), source: name },
          overrides,
          false,
        );
      const below = listOverrides(overrides, value.items.length, context);
      const items = value.items.map((item, i) => {
        const at = { path: this.#partPath(name, attributes, i), source: `${name}[${i}]` };
        return place(context, { value: item, span }, at, below(i), false);
      });
      return { kind: 'list', items };
    }
    const input = flat.inputs.get(name);
    if (input) return this.#input(name);
    const { decl, file } = flat.lets.get(name)!;
    const scope = this.#scope(file);
    if (decl.kind === 'model-let') return evaluate(scope, decl.value);
    const items = { names: decl.names, span: decl.span };
    return itemOf(scope, items, decl.position, this.#value(decl.whole, decl.span) ?? error);
  }

  /** Returns the path of a part's weights: its `@path` or its name, followed by the index for an item of a list. */
  #partPath(name: string, attributes: readonly Attribute[], i?: number): string {
    const attribute = attributes.find((one) => one.name.name === 'path');
    const template = attribute?.args[0]?.value;
    const item = i === undefined ? '' : String(i);
    if (!attribute || template?.kind !== 'string') return childPath(name, item);
    const { params } = this.#flat;
    const path = pathText(this.#context, attribute, template.value, i, (word) =>
      params.has(word) ? this.#value(word) : undefined,
    );
    return template.value.includes('{i}') ? path : childPath(path, item);
  }

  #refuseField(name: string, { decl, base, before }: FromField, value: Val): Val {
    const { params, fields } = this.#flat;
    if (base !== undefined && !before) {
      // With a plain value, a variant means a parameter of its base, or a part.
      const names = [...params.keys(), ...fields.keys()].filter((other) => other !== name);
      return fail(
        { context: this.#context },
        'CROB2301',
        decl.path.span,
        { name, what: `model ${base}` },
        { help: didYouMean(name, names) ?? (names.length ? `it has ${names.join(', ')}` : undefined) },
      );
    }
    return fail(
      { context: this.#context },
      'CROB2201',
      decl.value.span,
      { expected: partKinds, actual: describe(value) },
      before
        ? { notes: [{ span: before.decl.path.span, text: `\`${name}\` is declared here` }] }
        : { help: `a tensor is a \`let ${name} = …\`; a static value is a parameter of the model` },
    );
  }

  #input(name: string): Val {
    const { decl, file } = this.#flat.inputs.get(name)!;
    const scope = this.#scope(file);
    const type: GraphType | undefined = resolveType(scope, decl.type, new Map());
    if (!type) return error;
    if (type.kind !== 'tensor')
      return fail(scope, 'CROB2201', decl.type.span, { expected: 'a tensor type', actual: `a ${type.kind}` });
    const graph = this.#graph;
    if (!graph) return fail(scope, 'CROB2208', decl.type.span, { what: `the input ${name}` });
    graph.build.origin = { span: decl.span, path: '', label: `input ${name}` };
    const value = graph.build.input(name, type.type);
    this.#inputs.push({ name, value, docs: decl.docs.join('\n') });
    return tensor(value);
  }

  /** Reports dims that are not a complete axis of any input, since their sizes cannot be inferred from the inputs. */
  #checkDims(): void {
    if (this.#inputs.length < this.#flat.inputs.size) return;
    const bare = new Set(this.#inputs.flatMap(({ value }) => value.type.shape.map((d: Dim) => dims.asVariable(d))));
    for (const name of this.#dims.known.keys()) {
      if (!bare.has(name))
        fail({ context: this.#context }, 'CROB2101', this.#flat.decl.name.span, { name, what: this.#flat.name });
    }
  }

  /** Reports overrides inside a plain value. */
  #checkOverridesUsed(): void {
    const { params, fields } = this.#flat;
    for (const name of [...params.keys(), ...fields.keys()]) {
      const value = this.#values.get(name);
      if (!params.has(name) || !value || hasError(value) || holdsInstance(value)) continue;
      for (const [step, node] of this.#lines.below(name)?.below ?? []) {
        fail(
          { context: this.#context },
          'CROB2301',
          node.span,
          { name: stepText(step), what: `the parameter ${name}` },
          { help: didYouMean(step, [...params.keys()]) ?? `give the whole value instead: \`${name} = …\`` },
        );
      }
    }
  }
}

function holdsInstance(value: Val): boolean {
  return value.kind === 'instance' || (value.kind === 'list' && value.items.some(holdsInstance));
}
