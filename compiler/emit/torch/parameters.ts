import { nodesBelow } from '../../../grammar/within.ts';
import type { Body } from './body.ts';
import { translateFactory } from './constructs.ts';
import { given, type Kind, optional, parameterType } from './kinds.ts';
import { assign, atom, binary, type Py, type PyParam, type PyStatement } from './python/tree.ts';
import type { Package, SignatureParam } from './scope.ts';
import { typeScope } from './signatures.ts';
import { parameterKind } from './types.ts';

export interface WrittenParam {
  readonly name: string;
  readonly python: string;
  readonly kind: Kind;
}

export interface WrittenParams {
  readonly params: readonly PyParam[];
  readonly known: readonly WrittenParam[];
}

/**
 * Declares the parameters of a function or class in its body, and emits what gives them values that depend on other
 * parameters.
 */
export function writeParams(pack: Package, body: Body, params: readonly SignatureParam[]): WrittenParams {
  const written: PyParam[] = [];
  const known: WrittenParam[] = [];
  let hasDefault = false;
  for (const { decl, file, value: anew } of params) {
    const kind = parameterKind(typeScope(pack, file, params, ''), decl);
    const name = decl.name.name;
    const value = anew?.expr ?? decl.value;
    if (!value) {
      if (hasDefault) pack.refuse(decl.span, `take \`${name}\`, which has no default, behind a parameter that has one`);
      const python = body.param(name, kind);
      written.push({ name: python, type: parameterType(kind), value: undefined });
      known.push({ name, python, kind });
      continue;
    }
    hasDefault = true;
    const isPart = given(kind).kind === 'part' && value.kind !== 'none';
    const translate = (): Py =>
      body.within(anew?.file ?? file, () => {
        if (given(kind).kind === 'factory' && value.kind !== 'none') return translateFactory(body, value);
        return (anew ? anew.translate(body) : body.translate(value)).py;
      });
    // Calls in defaults would be shared by all that use them, which linters refuse.
    const isCall = given(kind).kind === 'init' && value.kind === 'call';
    const direct = !isPart && !isCall && (anew?.constant === true || isConstant(value, params));
    const py = direct ? translate() : body.apart(translate);
    const python = body.param(name, kind);
    if (direct) written.push({ name: python, type: parameterType(kind), value: withoutLists(py as Py) });
    else {
      const { value: given, statements } = py as { readonly value: Py; readonly statements: readonly PyStatement[] };
      written.push({ name: python, type: parameterType(optional(kind)), value: atom('None') });
      const test = binary('is', atom(python), atom('None'));
      body.emit({ kind: 'if', test, then: [...statements, assign(python, given)], otherwise: [] });
    }
    known.push({ name, python, kind });
  }
  return { params: written, known };
}

/** Whether a default depends on no other parameter. */
function isConstant(value: object, params: readonly SignatureParam[]): boolean {
  const names = new Set(params.map(({ decl }) => decl.name.name));
  return nodesBelow(value).every((node) => node.kind !== 'name' || !names.has(node.name));
}

/** Defaults are shared by all calls, so that they must not be lists. */
function withoutLists(py: Py): Py {
  return py.kind === 'list' ? { kind: 'tuple', items: py.items.map(withoutLists) } : py;
}
