import type { Ident } from '../../../grammar/tree.ts';
import type { FlatModel } from '../../elaborate/models/flat-model.ts';
import type { Equations } from '../../elaborate/recipes/recipe-terms.ts';
import type { FileScope } from '../../elaborate/source/file-scope.ts';
import { Body } from './body.ts';
import { equationsOf } from './equations.ts';
import { given, isTensor, type Kind, none, parameterType } from './kinds.ts';
import { asParam } from './model.ts';
import { variableName } from './names.ts';
import {
  assign,
  atom,
  attribute,
  binary,
  call,
  number,
  type Py,
  type PyStatement,
  stringLiteral,
  subscript,
} from './python/tree.ts';
import type { Package, SignatureParam, Value } from './scope.ts';
import { dimStatements, typeScope } from './signatures.ts';
import { dimSources, parameterKind } from './types.ts';

/** What the losses of a recipe are translated with. */
export interface LossesOf {
  readonly recipe: Ident;
  readonly file: FileScope;
  /** The file that declares the recipe; `file` may be that of `--set`. */
  readonly declaredIn: string;
  readonly equations: Equations;
  readonly model: FlatModel;
  /** The kind of what the model returns. */
  readonly result: Kind;
}

/** Translates the terms of a loss to the function `losses` of the model's outputs and a batch. */
export function translateLosses(pack: Package, of: LossesOf): PyStatement {
  const seen = new Seen(pack, of);
  const body: Body = new Body({
    pack,
    file: of.file,
    self: undefined,
    member: (name) => seen.lookup(name),
    device: seen.device,
    training: atom('True'),
    result: none,
  });
  body.withDims(new Set(dimSources(seen.ports).keys()));
  const done = new Set<string>();
  const { lets, terms } = of.equations;
  const items: Py[] = [];
  const docs: PyStatement[] = [];
  const main = body.apart(() => {
    for (const { decl, file } of terms.values()) {
      equationsOf(body, lets, decl.value, done);
      const value = body.within(file, () => body.translate(decl.value));
      const py = isTensor(value.kind) ? value.py : seen.constant(value.py);
      items.push({ kind: 'pair', key: stringLiteral(decl.name.name), value: py });
      if (decl.docs.length > 0) docs.push({ kind: 'comment', text: `${decl.name.name}: ${decl.docs.join(' ')}` });
    }
  });
  const sizes = dimStatements(seen.ports, body.dims);
  for (const [name, { param }] of dimSources(seen.ports)) if (body.dims.has(name)) seen.lookup(param);
  return {
    kind: 'def',
    name: 'losses',
    self: false,
    params: [
      { name: seen.outputs, type: parameterType(of.result), value: undefined },
      { name: 'batch', type: 'Mapping[str, Tensor]', value: undefined },
    ],
    keywordOnly: undefined,
    result: 'dict[str, Tensor]',
    body: [
      { kind: 'docstring', lines: [`The terms of the loss of ${of.recipe.name}; their sum is the loss.`] },
      ...seen.statements(),
      ...sizes,
      ...main.statements,
      ...docs,
      { kind: 'return', value: { kind: 'dict', items }, comment: undefined },
    ],
  };
}

/** The values that losses see besides their own: outputs and inputs of the model, and inputs of the recipe. */
class Seen {
  /** All of them as parameters; the recipe's own inputs come first, since every batch has them. */
  readonly ports: readonly SignatureParam[];
  /** The name of what the model returns. */
  readonly outputs: string;
  /** The device of the first output. */
  readonly device: Py;
  readonly #read = new Set<string>();
  readonly #pack: Package;
  readonly #of: LossesOf;

  constructor(pack: Package, of: LossesOf) {
    this.#pack = pack;
    this.#of = of;
    const { model, equations, result } = of;
    const [only = ''] = model.outputs.keys();
    this.outputs = result.kind === 'tuple' ? 'outputs' : this.#local(only);
    const first =
      result.kind === 'tuple' ? attribute(atom('outputs'), result.items[0]?.attribute ?? '') : atom(this.outputs);
    this.device = attribute(first, 'device');
    const inputs = [...equations.inputs.values(), ...model.inputs.values()];
    const typed = [...model.outputs.values()].flatMap(({ decl, file }) =>
      decl.type ? [{ decl: { ...decl, type: decl.type }, file }] : [],
    );
    this.ports = [...inputs, ...typed].map(({ decl, file }) => ({ decl: asParam(decl.name, decl), file }));
  }

  lookup(name: string): Value | undefined {
    const kind = this.#kindOf(name);
    if (kind) {
      this.#read.add(name);
      return { py: atom(this.#local(name)), kind: given(kind), any: false };
    }
    // The items of an output that is a list are named by their index.
    const [, list = '', index = ''] = /^(.*)_(\d+)$/.exec(name) ?? [];
    const items = this.#kindOf(list);
    if (!items || given(items).kind !== 'list') return undefined;
    const whole = this.lookup(list);
    const own = given(items);
    if (!whole || own.kind !== 'list') return undefined;
    return { py: subscript(whole.py, number(Number(index))), kind: own.of, any: false };
  }

  /** A number as a tensor. */
  constant(py: Py): Py {
    return call('torch.tensor', [call('float', [py])], { device: this.device });
  }

  /** The assignments of the values that have been read. */
  statements(): readonly PyStatement[] {
    const { result, model } = this.#of;
    const out: PyStatement[] = [];
    const later: string[] = [];
    for (const name of model.outputs.keys()) {
      const item = result.kind === 'tuple' ? result.items.find((one) => one.name === name) : undefined;
      if (!item || !this.#read.has(name)) continue;
      out.push(assign(this.#local(name), attribute(atom('outputs'), item.attribute)));
      if (item.of.kind === 'optional') later.push(this.#local(name));
    }
    if (later.length > 0) {
      const tests = later.map((name) => binary('is', atom(name), atom('None')));
      const error = call('ValueError', [stringLiteral('losses need outputs of training: call model.train()')]);
      const test = tests.reduce((all, one) => binary('or', all, one));
      out.push({ kind: 'if', test, then: [{ kind: 'raise', error }], otherwise: [] });
    }
    for (const { decl } of this.ports) {
      const { name } = decl.name;
      if (!this.#read.has(name) || model.outputs.has(name)) continue;
      out.push(assign(this.#local(name), subscript(atom('batch'), stringLiteral(name))));
    }
    return out;
  }

  #kindOf(name: string): Kind | undefined {
    const { result, model } = this.#of;
    if (model.outputs.has(name))
      return result.kind === 'tuple' ? result.items.find((one) => one.name === name)?.of : result;
    const port = this.ports.find(({ decl }) => decl.name.name === name);
    return port && parameterKind(typeScope(this.#pack, port.file, [], ''), port.decl);
  }

  #local(name: string): string {
    return variableName(name, (python) => ['outputs', 'batch'].includes(python) || this.#pack.isTaken(python));
  }
}
