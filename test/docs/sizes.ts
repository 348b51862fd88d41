import { compile } from '../../compiler/compile.ts';
import { contentsOf } from '../../compiler/contents/contents.ts';
import type { FnDecl, InterfaceDecl, ModuleDecl, SourceFile } from '../../grammar/tree.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { memoryHost } from '../memory-host.ts';
import { flat, header, sourceOf, textOf } from './declarations.ts';

/** A function that stands for a module in some size, such as `SwinB`. */
export interface Size {
  readonly decl: FnDecl;
  readonly signature: string;
  readonly module: string;
  /** Numbers that are trained. */
  readonly parameters: number;
  /** Parameters of the module; `part` is what a model calls a part that it makes of this. */
  readonly values: readonly { readonly part: string; readonly name: string; readonly value: string }[];
}

/** Undefined for other functions, also those that must be given something. A size fills an interface; what its `forward` takes are the inputs of the model that is made of it. */
export function sizeOf(file: string, decl: FnDecl): Size | undefined {
  const tree = library(file);
  const made = decl.body.value;
  if (decl.result || made?.kind !== 'call' || made.callee.kind !== 'name' || !/^[A-Z]/.test(made.callee.name))
    return undefined;
  if (decl.params.some(({ value }) => value === undefined)) return undefined;
  const module = made.callee.name;
  const target = find(tree, module, 'module');
  const filled = target ? interfacesOf(target.tree, target.decl) : [];
  const withForward = filled.flatMap((one) =>
    one.decl.members.flatMap((member) =>
      member.kind === 'method' && member.name.name === 'forward' ? [{ ...one, forward: member }] : [],
    ),
  )[0];
  if (!withForward) throw new Error(`${decl.name.name}: what inputs it takes is not known`);
  const { forward } = withForward;
  const part = withForward.decl.name.name === 'TextEncoder' ? 'text' : 'backbone';
  const statics = filled
    .flatMap(({ decl }) => decl.members)
    .flatMap((member) => (member.kind === 'static' ? [member.name.name] : []));
  const outside = (text: string) =>
    statics.reduce((all, name) => all.replace(new RegExp(`\\b${name}\\b`, 'g'), `${part}.${name}`), text);
  const inputs = forward.params.map(
    (param) => `  input ${param.name.name}: ${outside(textOf(withForward.tree, param.type))}`,
  );
  const where = forward.where.map((one) => outside(textOf(withForward.tree, one))).join(', ');
  const source = `use std.${file}.{${decl.name.name}}
model Alone${where === '' ? '' : ` where ${where}`} {
  ${part} = ${decl.name.name}()
${inputs.join('\n')}
  output y = ${part}(${forward.params.map(({ name }) => name.name).join(', ')})
}
`;
  const compiled = compile(memoryHost({ 'alone.crob': source }), 'alone.crob', {
    model: undefined,
    dims: new Map(),
    overrides: [],
  });
  const { context, model, graph } = compiled;
  if (!context || !model || !graph)
    throw new Error(`${decl.name.name}: ${compiled.diagnostics.map(({ code }) => code).join(', ')}\n${source}`);
  const trained = weightsOf(graph).filter(({ role }) => role === 'param');
  const values = contentsOf(context, model).flatMap((entry) =>
    entry.kind === 'parameter' && entry.owner === part
      ? [{ part, name: entry.path.slice(part.length + 1), value: entry.value }]
      : [],
  );
  const parameters = trained.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0);
  return { decl, signature: flat(header(tree, decl)), module, parameters, values };
}

function library(name: string): SourceFile {
  return sourceOf(`stdlib/${name}.crob`);
}

type Kind = { readonly module: ModuleDecl; readonly interface: InterfaceDecl };

/** A declaration that a file has or imports. */
function find<K extends keyof Kind>(
  tree: SourceFile,
  name: string,
  kind: K,
): { readonly tree: SourceFile; readonly decl: Kind[K] } | undefined {
  const use = tree.uses.find((one) => one.names.some((named) => named.name.name === name));
  const at = use ? library(use.path.map((step) => step.name).at(-1) ?? '') : tree;
  const decl = at.declarations.find((one) => one.kind === kind && one.name.name === name);
  return decl && { tree: at, decl: decl as Kind[K] };
}

/** The interfaces that a module fills, nearest first, with those that they include. */
export function interfacesOf(
  tree: SourceFile,
  decl: ModuleDecl | InterfaceDecl,
): readonly { readonly tree: SourceFile; readonly decl: InterfaceDecl }[] {
  const named = 'implements' in decl ? decl.implements : [];
  return named.flatMap(({ name }) => {
    const found = find(tree, name, 'interface');
    return found ? [found, ...interfacesOf(found.tree, found.decl)] : [];
  });
}
