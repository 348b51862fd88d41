import type { ModuleDecl } from '../../../grammar/tree.ts';
import type { Found } from '../../elaborate/source/file-scope.ts';
import { Body } from './body.ts';
import { parameterType } from './kinds.ts';
import type { NativeModule } from './natives.ts';
import {
  assign,
  atom,
  attribute,
  binary,
  call,
  type Py,
  type PyArg,
  type PyParam,
  type PyStatement,
} from './python/tree.ts';
import type { Package } from './scope.ts';
import { typeScope } from './signatures.ts';
import { parameterKind } from './types.ts';

/**
 * A layer of PyTorch with the initial values of the library's: a class whose further parameters are functions that fill its
 * weights.
 */
export function layerClass(
  pack: Package,
  { decl, file }: Found & { readonly decl: ModuleDecl },
  native: NativeModule,
  name: string,
): PyStatement {
  const body = new Body({
    pack,
    file,
    self: undefined,
    member: () => undefined,
    device: undefined,
    training: undefined,
    result: { kind: 'none' },
  });
  /** Defaults that are calls, which a constructor makes in its body. */
  const fallbacks = new Map<string, Py>();
  const used = decl.params.filter((param) => param.name.name in native.params || param.name.name in native.initial);
  const params = used.map((param): PyParam => {
    const own = param.name.name;
    const type = parameterType(parameterKind(typeScope(pack, file, [], ''), param));
    const value = param.value && body.translate(param.value).py;
    if (value?.kind !== 'call') return { name: native.params[own] ?? own, type, value };
    fallbacks.set(own, value);
    return { name: own, type: `${type} | None`, value: atom('None') };
  });
  const passed = used.flatMap((param) => native.params[param.name.name] ?? []);
  const args = passed.map((one, i): PyArg => ({ name: i < native.positional ? undefined : one, value: atom(one) }));
  const functions = Object.entries(native.initial);
  const start: PyStatement[] = [
    { kind: 'comment', text: 'The constructor of the base class calls reset_parameters.' },
    ...functions.map(([one]): PyStatement => {
      const fallback = fallbacks.get(one);
      const test = binary('is', atom(one), atom('None'));
      const value: Py = fallback ? { kind: 'conditional', test, then: fallback, otherwise: atom(one) } : atom(one);
      return assign(`self.${one}`, value);
    }),
    { kind: 'expression', value: { kind: 'call', callee: atom('super().__init__'), args } },
  ];
  const filled = functions.map(([one, weight]): PyStatement => {
    const tensor = attribute(atom('self'), weight);
    const fill: PyStatement = { kind: 'expression', value: call(`self.${one}`, [tensor]) };
    if (weight !== 'bias') return fill;
    return { kind: 'if', test: binary('is not', tensor, atom('None')), then: [fill], otherwise: [] };
  });
  const before: readonly PyStatement[] = native.keepsReset
    ? [{ kind: 'expression', value: call('super().reset_parameters', []) }]
    : [];
  const method = (own: string, of: readonly PyParam[], statements: readonly PyStatement[]): PyStatement => ({
    kind: 'def',
    name: own,
    self: true,
    params: of,
    keywordOnly: undefined,
    result: 'None',
    body: statements,
  });
  const lines = [`${native.type} with initial values of its own.`];
  return {
    kind: 'class',
    name,
    bases: [native.type],
    body: [
      { kind: 'docstring', lines },
      method('__init__', params, start),
      method('reset_parameters', [], [...before, ...filled]),
    ],
  };
}

/** A function that fills the bias of sampling offsets, as the initialiser `ring`. */
export function ringFunction(name: string): PyStatement {
  return {
    kind: 'lines',
    lines: [
      `def ${name}(x: Tensor, heads: int, levels: int, points: int) -> Tensor:`,
      '    """Fills offsets of sampling points: each head has a direction of its own, scaled to the',
      '    unit square, and each further point is farther away.',
      '    """',
      '    angle = 2.0 * math.pi / heads * torch.arange(heads)',
      '    way = torch.stack([angle.cos(), angle.sin()], dim=-1)',
      '    way = way / way.abs().amax(-1, keepdim=True)',
      '    far = torch.arange(1.0, points + 1.0).unsqueeze(1)',
      '    offsets = (way[:, None, None] * far).expand(heads, levels, points, 2)',
      '    with torch.no_grad():',
      '        return x.copy_(offsets.flatten())',
    ],
  };
}
