import { nearest } from '../../../grammar/nearest.ts';
import type { BinaryExpr, ChoiceType, Declaration, ForClause, ModuleDecl, Param, Type } from '../../../grammar/tree.ts';
import { nodesBelow, type TreeNode } from '../../../grammar/within.ts';
import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import type { FileScope } from './file-scope.ts';
import { typeBehind } from './type-names.ts';

export function choicesOf({ choices }: ChoiceType): readonly string[] {
  return choices.map(({ value }) => value);
}

/** `"a"`, `"a" or "b"`, `"a", "b" or "c"`. */
export function oneOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => JSON.stringify(choice));
  const last = quoted[quoted.length - 1] ?? '';
  return quoted.length < 2 ? last : `${quoted.slice(0, -1).join(', ')} or ${last}`;
}

/** Suggests the nearest choice for a string that is not one. */
export function meantChoice(found: string, choices: readonly string[]): string | undefined {
  const meant = nearest(found, choices);
  return meant === undefined ? undefined : `did you mean \`${JSON.stringify(meant)}\`?`;
}

/** Names whose type lists the allowed strings. */
type Choices = ReadonlyMap<string, readonly string[]>;

/** Returns a diagnostic for each comparison of a parameter with a string that it can never equal. */
export function checkComparisons(decl: Declaration, file: FileScope): readonly Diagnostic[] {
  const found: Diagnostic[] = [];
  const own = 'params' in decl ? withChoices(decl.params, file) : new Map<string, readonly string[]>();
  if (decl.kind === 'model') for (const base of basesOf(decl.base?.name, file)) addMissing(own, base);
  if (decl.kind === 'module' || decl.kind === 'interface') {
    for (const member of decl.members)
      if (member.kind === 'static' && member.type) add(own, member.name.name, member.type, file);
    for (const member of decl.members) {
      const inner = member.kind === 'method' ? within(own, member.params, file) : own;
      compare(member, inner, found);
    }
    compare(decl.where, own, found);
  } else compare(decl, own, found);
  return found;
}

function withChoices(params: readonly Param[], file: FileScope): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const { name, type } of params) add(found, name.name, type, file);
  return found;
}

function add(into: Map<string, readonly string[]>, name: string, written: Type, file: FileScope): void {
  const type = typeBehind(written, file);
  if (type.kind === 'choice-type') into.set(name, choicesOf(type));
}

/** Returns the allowed strings of a parameter or typed static of a module; undefined if its type does not list them. */
export function declaredChoices(
  { params, members }: ModuleDecl,
  name: string,
  file: FileScope,
): readonly string[] | undefined {
  const own = params.find((param) => param.name.name === name) ?? members.find((one) => one.name.name === name);
  const written = own && 'type' in own ? own.type : undefined;
  const type = written && typeBehind(written, file);
  return type?.kind === 'choice-type' ? choicesOf(type) : undefined;
}

function addMissing(into: Map<string, readonly string[]>, from: Choices): void {
  for (const [name, choices] of from) if (!into.has(name)) into.set(name, choices);
}

/** Yields the parameters of a model's bases, nearest first. */
function* basesOf(name: string | undefined, file: FileScope): Iterable<Choices> {
  const seen = new Set<Declaration>();
  for (let at = { name, file }; at.name !== undefined; ) {
    const found = at.file.lookup(at.name);
    if (found?.decl.kind !== 'model' || seen.has(found.decl)) return;
    seen.add(found.decl);
    yield withChoices(found.decl.params, found.file);
    at = { name: found.decl.base?.name, file: found.file };
  }
}

/** Adds a method's parameters, which shadow outer names. */
function within(outer: Choices, params: readonly Param[], file: FileScope): Choices {
  const inner = new Map(outer);
  for (const { name } of params) inner.delete(name.name);
  for (const [name, choices] of withChoices(params, file)) inner.set(name, choices);
  return inner;
}

function compare(part: object, choices: Choices, into: Diagnostic[]): void {
  if (choices.size === 0) return;
  const nodes = nodesBelow(part);
  const wrong = nodes.flatMap((node) => (isComparison(node) ? impossible(node, choices) : []));
  if (wrong.length === 0) return;
  const bound = new Set(nodes.flatMap(boundIn));
  for (const { name, found } of wrong) if (!bound.has(name)) into.push(found);
}

function isComparison(node: TreeNode): node is BinaryExpr {
  return node.kind === 'binary' && (node.op === '==' || node.op === '!=');
}

/** The string in a comparison that the other side can never equal. */
function impossible({ left, right }: BinaryExpr, choices: Choices) {
  const sides = [
    [left, right],
    [right, left],
  ] as const;
  return sides.flatMap(([name, text]) => {
    if (name.kind !== 'name' || text.kind !== 'string') return [];
    const known = choices.get(name.name);
    if (!known || known.includes(text.value)) return [];
    const args = { name: name.name, value: JSON.stringify(text.value), choices: oneOf(known) };
    const help = meantChoice(text.value, known);
    return [{ name: name.name, found: diagnostic('CROB2241', text.span, args, { help }) }];
  });
}

/** Names that a statement or comprehension binds. */
function boundIn(node: TreeNode): readonly string[] {
  switch (node.kind) {
    case 'let':
    case 'model-let':
      return [node.name.name];
    case 'let-items':
    case 'model-let-items':
      return node.names.map(({ name }) => name.name);
    case 'assign':
      return node.target.kind === 'name' ? [node.target.name] : [];
    case 'for':
      return boundByClause(node.clause);
    case 'comprehension':
      return node.clauses.flatMap(boundByClause);
    default:
      return [];
  }
}

function boundByClause({ item, index }: ForClause): readonly string[] {
  return index ? [item.name, index.name] : [item.name];
}
