import type { Span } from '../../../grammar/span.ts';
import type { OutputMember } from '../../../grammar/tree.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { type Clause, Facts } from '../../dims/facts.ts';
import { Builder } from '../../ir/builder.ts';
import type { Guard, Node, Value } from '../../ir/graph.ts';
import { type Context, DimScope, fileScope, type Overrides, type Scope } from '../context/scope.ts';
import type { Call, GraphType } from '../context/template.ts';
import { describe, error, hasError, type Instance, showStatic, tensor, type Val } from '../context/values.ts';
import { fitStatic } from '../eval/arguments.ts';
import { fitResult } from '../eval/fit-result.ts';
import { assumeAll, conditions, resolveType } from '../eval/signature.ts';
import { checkAttributes } from '../modules/declared.ts';
import { isPart, partKinds, partsOf, place, slotOf } from '../modules/members.ts';
import { fail } from '../report/report.ts';
import { didYouMean } from '../source/did-you-mean.ts';
import type { FileScope } from '../source/program.ts';
import type { FlatModel, From, FromField } from './flatten.ts';
import { overrideTrees } from './override-trees.ts';
import { type GoneUse, Uses } from './uses.ts';

/** A model elaborated: instances made, body typed; `inline` makes the flat graph of it. */
export interface ModelGraph {
  readonly flat: FlatModel;
  readonly inputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  readonly outputs: readonly { readonly name: string; readonly value: Value; readonly docs: string }[];
  readonly nodes: readonly Node[];
  readonly calls: readonly Call[];
  /** Updates stand in methods. */
  readonly updates: readonly never[];
  readonly facts: Facts;
  readonly guards: readonly Guard[];
  readonly instances: ReadonlyMap<string, Val>;
  /** The modules that an instance is made of, by name, down to what no method has asked for. */
  partsOf(instance: Instance): ReadonlyMap<string, Val>;
  /** Static parameters as they came out: what the manifest records. */
  readonly params: ReadonlyMap<string, Val>;
}

export function elaborateModel(context: Context, flat: FlatModel): ModelGraph | undefined {
  return new ModelElaboration(context, flat).run();
}

interface Port {
  readonly name: string;
  readonly value: Value;
  readonly docs: string;
  readonly span: Span;
}

/** Names of a model come to their values when first asked for: the body has no order. */
class ModelElaboration {
  readonly #context: Context;
  readonly #flat: FlatModel;
  readonly #values = new Map<string, Val>();
  readonly #busy = new Set<string>();
  readonly #uses = new Uses();
  #trees: ReadonlyMap<string, Overrides> = new Map();
  #facts: Facts = Facts.none;
  readonly #dims: DimScope;
  readonly #build: Builder;
  readonly #calls: Call[] = [];
  readonly #weights = new Map<string, Value>();
  readonly #guards: Guard[] = [];
  readonly #inputs: { name: string; value: Value; docs: string }[] = [];
  readonly #bodies = new Map<FileScope, Scope>();

  constructor(context: Context, flat: FlatModel) {
    this.#context = context;
    this.#flat = flat;
    this.#dims = new DimScope(true);
    this.#trees = overrideTrees(flat.overrides, (file) => this.#staticBody(file));
    // A `where` may name what parts of the model say of themselves (`T <= text.positions`), so they come first.
    let facts = Facts.none;
    for (const [i, { decl, file, model }] of flat.where.entries()) {
      const refused = () => {
        const clause = context.program.text(decl.span);
        const named = [...flat.params.keys()].filter((name) => new RegExp(`\\b${name}\\b`).test(clause));
        const details = named.map((name) => `${name} is ${showStatic(this.#values.get(name))}`);
        fail({ context }, 'CROB2207', decl.span, { clause, what: model }, { details });
      };
      const body = { ...this.#bodyWith(file, facts, undefined), dims: this.#dims };
      const asking = { name: `where ${i}`, inherited: model !== flat.name };
      const known = new Set(this.#dims.known.keys());
      const found = this.#uses.within(asking, () => conditions(body, [decl], refused));
      // A condition on a part that a variant took out goes with it, and so do the dims that only it names.
      if (this.#uses.namesGone(asking))
        for (const name of this.#dims.known.keys()) if (!known.has(name)) this.#dims.known.delete(name);
      assumeAll(body, found);
      facts = body.facts;
      for (const { clause, span } of found) this.#guards.push(guardOf(clause, context.program.text(span), span));
    }
    this.#facts = facts;
    this.#build = new Builder(facts);
  }

  run(): ModelGraph | undefined {
    const context = this.#context;
    const flat = this.#flat;
    for (const name of [...flat.params.keys(), ...flat.fields.keys()]) this.#value(name);
    this.#checkOverridesUsed();
    for (const [name] of flat.inputs) this.#value(name);
    this.#dims.open = false;
    this.#checkDims();
    // Most bodies are written in the order of their flow; taken so, one equation does not wait within another.
    for (const name of flat.lets.keys()) this.#value(name);
    const outputs = [...flat.outputs].flatMap(([name, from]) =>
      this.#uses.within({ name: `output ${name}`, inherited: false }, () => this.#output(name, from)),
    );
    this.#checkNames(outputs);
    // An inherited `let` that no output needs goes with what it uses; the others cannot do without.
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
      nodes: this.#build.nodes,
      calls: this.#calls,
      updates: [],
      facts: this.#facts,
      guards: this.#guards,
      instances,
      partsOf: (instance) => partsOf(context, instance),
      params,
    };
  }

  /** One output for each tensor of it; none where it is for losses only and this is no training. */
  #output(name: string, { decl, file }: From<OutputMember>): readonly Port[] {
    const context = this.#context;
    const span = decl.value?.span ?? decl.name.span;
    if (decl.stage && decl.stage.name !== 'train') {
      fail(
        { context },
        'CROB2001',
        decl.stage.span,
        { name: decl.stage.name },
        { help: 'the only stage is `output(train)`' },
      );
    }
    const scope = this.#body(file);
    const raw = decl.value ? context.interpreter.evaluate(scope, decl.value) : this.#value(name);
    if (!raw) {
      fail({ context }, 'CROB2001', decl.name.span, { name }, { help: `give it a value: output ${name} = …` });
      return [];
    }
    const type = decl.type && resolveType(scope, decl.type, new Map());
    if (raw.kind === 'error') return [];
    const value = type ? fitResult(scope, raw, type, span, `the output \`${name}\``) : raw;
    const docs = decl.docs.join('\n');
    const ports = (): readonly Port[] | undefined => {
      if (value.kind === 'tensor') return [{ name, value: value.value, docs, span: decl.name.span }];
      if (value.kind !== 'list' || value.items.length === 0) return undefined;
      const items = value.items.map((item) => (item.kind === 'tensor' ? item.value : undefined));
      if (!items.every((item) => item !== undefined)) return undefined;
      return items.map((item, i) => ({ name: `${name}_${i}`, value: item, docs: '', span: decl.name.span }));
    };
    const found = value.kind === 'error' ? [] : ports();
    if (!found) {
      const actual = value.kind === 'list' && value.items.length > 0 ? 'a list of other things' : describe(value);
      fail({ context }, 'CROB2201', span, {
        expected: `a tensor, or a list of tensors, as the output \`${name}\``,
        actual,
      });
    }
    return decl.stage && !context.training ? [] : (found ?? []);
  }

  /** Where a model runs, its inputs and outputs are known by name. */
  #checkNames(outputs: readonly Port[]): void {
    const model = this.#flat.name;
    const taken = new Map(this.#inputs.map(({ name }) => [name, this.#flat.inputs.get(name)!.decl.name.span]));
    for (const { name, span } of outputs) {
      const earlier = taken.get(name);
      if (earlier)
        fail(
          { context: this.#context },
          'CROB2312',
          span,
          { model, name },
          { notes: [{ span: earlier, text: 'the other one' }] },
        );
      else taken.set(name, span);
    }
  }

  #bodyWith(file: FileScope, facts: Facts, build: Builder | undefined): Scope {
    return {
      ...fileScope(this.#context, file),
      owner: { what: `model ${this.#flat.name}`, span: this.#flat.decl.name.span },
      member: (name, span) => this.#value(name, span),
      memberNames: () => [
        ...this.#flat.params.keys(),
        ...this.#flat.fields.keys(),
        ...this.#flat.inputs.keys(),
        ...this.#flat.lets.keys(),
      ],
      dims: this.#dims,
      facts,
      build,
      calls: this.#calls,
      weights: this.#weights,
    };
  }

  #body(file: FileScope): Scope {
    let body = this.#bodies.get(file);
    if (!body) {
      body = this.#bodyWith(file, this.#facts, this.#build);
      this.#bodies.set(file, body);
    }
    return body;
  }

  #value(name: string, span?: Span): Val | undefined {
    this.#uses.note(name);
    const known = this.#values.get(name);
    if (known) return known;
    const flat = this.#flat;
    const decl =
      flat.params.get(name)?.decl ??
      flat.fields.get(name)?.decl ??
      flat.inputs.get(name)?.decl ??
      flat.lets.get(name)?.decl;
    if (!decl) {
      const takenOut = flat.removed.get(name);
      if (!takenOut || !span) return undefined;
      const use = { name, takenOut, span };
      return this.#uses.mayGo(use) ? error : this.#refuseGone(use);
    }
    if (this.#busy.has(name)) {
      return fail({ context: this.#context }, 'CROB2305', span ?? decl.span, { name });
    }
    this.#busy.add(name);
    const equation = flat.lets.get(name);
    const inherited = equation !== undefined && equation.model !== flat.name;
    const value = this.#uses.within({ name, inherited }, () => this.#make(name));
    this.#busy.delete(name);
    this.#values.set(name, value);
    return value;
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
      const replaced = flat.values.get(name);
      const expr = replaced?.decl ?? param.decl.value;
      if (!expr)
        return fail(
          { context },
          'CROB2010',
          flat.decl.name.span,
          { name, callee: flat.name },
          { notes: [{ span: param.decl.span, text: 'declared here, without a default' }] },
        );
      const scope = this.#staticBody(replaced?.file ?? param.file);
      const value = fitStatic(
        scope,
        context.interpreter.evaluate(scope, expr),
        param.decl.type,
        expr.span,
        param.decl.span,
        param.file,
      );
      if (!value) return error;
      const { slot, holes } = slotOf(param.decl, param.file);
      if (!slot || holes) return value;
      return place(context, { value, span: expr.span }, { path: name, source: name }, this.#trees.get(name));
    }
    const field = flat.fields.get(name);
    if (field) {
      checkAttributes(context, field.decl.attributes, ['path']);
      const scope = this.#staticBody(field.file);
      const value = context.interpreter.evaluate(scope, field.decl.value);
      if (!isPart(value) || (value.kind === 'none' && field.base !== undefined && !field.replaces))
        return this.#refuseField(name, field, value);
      const attribute = field.decl.attributes.find((a) => a.name.name === 'path')?.args[0]?.value;
      return place(
        context,
        { value, span: field.decl.value.span },
        { path: attribute?.kind === 'string' ? attribute.value : name, source: name },
        this.#trees.get(name),
      );
    }
    const input = flat.inputs.get(name);
    if (input) return this.#input(name);
    const equation = flat.lets.get(name)!;
    return context.interpreter.evaluate(this.#body(equation.file), equation.decl.value);
  }

  #refuseField(name: string, { decl, base, replaces }: FromField, value: Val): Val {
    const { params, fields } = this.#flat;
    if (base !== undefined && !replaces) {
      // A variant that gives a plain value means a parameter of its base, or a part.
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
      replaces
        ? { notes: [{ span: replaces, text: `\`${name}\` is declared here` }] }
        : { help: `a tensor is a \`let ${name} = …\`; a static value is a parameter of the model` },
    );
  }

  /** Static parameters and modules see no tensors. */
  #staticBody(file: FileScope): Scope {
    return { ...this.#bodyWith(file, this.#facts, undefined), dims: new DimScope(false) };
  }

  #input(name: string): Val {
    const { decl, file } = this.#flat.inputs.get(name)!;
    const scope = this.#body(file);
    const type: GraphType | undefined = resolveType(scope, decl.type, new Map());
    if (!type) return error;
    if (type.kind !== 'tensor')
      return fail(scope, 'CROB2201', decl.type.span, { expected: 'a tensor type', actual: `a ${type.kind}` });
    this.#build.origin = { span: decl.span, path: '', label: `input ${name}` };
    const value = this.#build.input(name, type.type);
    this.#inputs.push({ name, value, docs: decl.docs.join('\n') });
    return tensor(value);
  }

  /** A dim that no input has bare cannot be known from the inputs. */
  #checkDims(): void {
    if (this.#inputs.length < this.#flat.inputs.size) return;
    const bare = new Set(this.#inputs.flatMap(({ value }) => value.type.shape.map((d: Dim) => dims.asVariable(d))));
    for (const name of this.#dims.known.keys()) {
      if (!bare.has(name))
        fail({ context: this.#context }, 'CROB2101', this.#flat.decl.name.span, { name, what: this.#flat.name });
    }
  }

  /** An override of something that is a plain value has nowhere to go. */
  #checkOverridesUsed(): void {
    for (const [name, tree] of this.#trees) {
      const value = this.#values.get(name);
      if (!this.#flat.params.has(name) || !value || hasError(value) || holdsInstance(value)) continue;
      for (const [step, node] of tree.below) {
        fail(
          { context: this.#context },
          'CROB2301',
          node.span,
          { name: step, what: `the parameter ${name}` },
          { help: didYouMean(step, [...this.#flat.params.keys()]) },
        );
      }
    }
  }
}

function holdsInstance(value: Val): boolean {
  return value.kind === 'instance' || (value.kind === 'list' && value.items.some(holdsInstance));
}

function guardOf(clause: Clause, text: string, span: Span): Guard {
  if (clause.kind === 'mod') {
    return {
      text,
      left: clause.value,
      relation: '%',
      right: dims.constant(clause.modulus),
      remainder: clause.remainder,
      span,
    };
  }
  const relation = clause.kind === 'eq' ? '==' : clause.kind === 'le' ? '<=' : '<';
  return { text, left: clause.left, relation, right: clause.right, span };
}
