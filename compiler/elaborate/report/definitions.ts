import type { Span } from '../../../grammar/span.ts';
import type { Declaration, Expr, FnDecl, MethodMember, Param, Type } from '../../../grammar/tree.ts';
import { contains, declarationAround, namesWithin, nodesBelow, type TreeNode } from '../../../grammar/within.ts';
import type { Detail, SourceLine } from '../../diagnostics/details.ts';
import type { Instance, Val, Writer } from '../context/elaborated.ts';
import { type Scope, writerOf } from '../context/scope.ts';
import type { FileScope, Found } from '../source/file-scope.ts';
import { lineOf } from './place.ts';

/** A piece of source whose names are looked up. */
export interface Site {
  readonly span: Span;
  readonly writer: Writer;
  /** If given, the sites that select which definitions behind its names matter; otherwise all do. */
  readonly by?: readonly Site[];
}

export function siteIn(scope: Scope, span: Span): Site {
  return { span, writer: writerOf(scope) };
}

/**
 * The callee of a call, with the arguments that the given texts of the callee use; other arguments of the part do
 * not matter.
 */
export function calleeSite(scope: Scope, call: Span, self: Instance | undefined, inside: readonly Span[]): Site {
  const at = scope.context.run.program.text(call).indexOf('(');
  return {
    span: at < 0 ? call : { ...call, end: call.start + at },
    writer: writerOf(scope),
    by: inside.map((span) => ({ span, writer: { self, model: undefined } })),
  };
}

/** The definition of a name at a site. */
interface Definition {
  /** The source from the name on: `channels = [dim, 2*dim]`; the body of a function. */
  readonly text: Span;
  readonly label?: string;
  /** Whether to show it. */
  readonly shown: boolean;
  /** The sites that it depends on. */
  readonly by: readonly Site[];
}

/** The maximum number of definitions in a message. */
const mostShown = 4;
/** The maximum number of definitions searched for some to show. */
const mostVisited = 60;
/** The maximum length of a line in characters. */
const widest = 72;

/**
 * Returns the definitions of the numbers and parts that the given texts refer to, nearest first:
 * `with channels = [dim, 2*dim] (:184)`. Parameters are followed to the arguments of the module's construction.
 * Definitions in the library are omitted.
 */
export function definitions(scope: Scope, from: readonly Site[]): readonly Detail[] {
  const { program } = scope.context.run;
  const sites = [...from];
  const seen = new Set(sites.map((site) => lineKey(lineOf(scope.context, site.span))));
  const visited = new Set<string>();
  const shown: Detail[] = [];
  for (const site of sites) {
    const file = program.files.get(site.span.file);
    for (const { name, span } of file ? namesWithin(file.tree, site.span) : []) {
      const found = file && definitionOf(scope, file, { span, writer: site.writer }, name);
      if (!found || visited.has(`${found.text.file}:${found.text.start}`)) continue;
      const { text, by, label = '' } = found;
      visited.add(`${text.file}:${text.start}`);
      sites.push(...(site.by ?? by));
      if (!found.shown || text.file.startsWith('std/')) continue;
      const at = lineOf(scope.context, text);
      if (seen.has(lineKey(at))) continue;
      seen.add(lineKey(at));
      const source = `${label}${program.text(text).replace(/\s+/g, ' ')}`;
      const cut = source.length > widest ? `${source.slice(0, widest - 1)}…` : source;
      shown.push({ kind: 'definition', text: cut, at });
    }
    if (shown.length >= mostShown || visited.size > mostVisited) break;
  }
  return shown.slice(0, mostShown);
}

function lineKey({ file, line }: SourceLine): string {
  return `${file}:${line}`;
}

function definitionOf(scope: Scope, file: FileScope, site: Site, name: string): Definition | undefined {
  const decl = declarationAround(file.tree, site.span);
  if (!decl) return undefined;
  const body = bodyAround(decl, site.span);
  const local = body && localIn(scope, body, site, name);
  // An argument of a call is not a definition.
  if (local || body?.params.some((param) => param.name.name === name)) return local;
  return memberOf(ownerAt(scope, { decl, file }, site.writer), site.writer, name) ?? staticFunction(file, name);
}

/** Names in a model's source refer to the variant under elaboration. */
function ownerAt({ context }: Scope, found: Found, { model }: Writer): Found {
  const file = found.decl.kind === 'model' && model ? context.run.program.files.get(model.file) : undefined;
  const decl = file && model && declarationAround(file.tree, model);
  return file && decl?.kind === 'model' ? { decl, file } : found;
}

function bodyAround(decl: Declaration, span: Span): FnDecl | MethodMember | undefined {
  if (decl.kind === 'fn') return decl;
  const members = decl.kind === 'module' || decl.kind === 'interface' ? decl.members : [];
  return members.filter((one) => one.kind === 'method').find((one) => contains(one.span, span));
}

/** The innermost enclosing loop that binds a name, otherwise the last statement before the site that does. */
function localIn(scope: Scope, body: TreeNode, { span, writer }: Site, name: string): Definition | undefined {
  const nodes = nodesBelow(body);
  const loop = nodes.findLast((node) => contains(node.span, span) && iterableOf(node, name, span));
  const iterable = loop && iterableOf(loop, name, span);
  if (iterable) return { text: iterable.span, shown: false, by: [{ span: iterable.span, writer }] };
  const last = nodes.findLast((node) => node.span.end <= span.start && binds(node, name));
  if (last?.kind !== 'let' && last?.kind !== 'let-items' && last?.kind !== 'assign') return undefined;
  const text = last.kind === 'let' ? { ...last.span, start: last.name.span.start } : last.span;
  return { text, shown: isNumbers(scope.locals.get(name)), by: [{ span: last.value.span, writer }] };
}

/** The iterable of a loop that binds a name for the text inside it. */
function iterableOf(node: TreeNode, name: string, span: Span): Expr | undefined {
  if (node.kind === 'tensor') return node.indices.find((one) => one.name.name === name)?.extent;
  const clauses = node.kind === 'comprehension' ? node.clauses : node.kind === 'for' ? [node.clause] : [];
  const found = clauses.find(({ item, index }) => item.name === name || index?.name === name);
  return found && !contains(found.iterable.span, span) ? found.iterable : undefined;
}

function binds(node: TreeNode, name: string): boolean {
  if (node.kind === 'let') return node.name.name === name;
  if (node.kind === 'let-items') return node.names.some((one) => one.name.name === name);
  if (node.kind !== 'assign') return false;
  const target = node.target.kind === 'index' ? node.target.object : node.target;
  return target.kind === 'name' && target.name === name;
}

/** Whether a value is a number or a list of numbers: the provenance of tensors is shown elsewhere. */
function isNumbers(value: Val | undefined): boolean {
  if (value?.kind === 'list') return value.items.every(isNumbers);
  return value?.kind === 'dim';
}

/**
 * The definition of a static, part or parameter (with its argument) of a module or model; undefined if an override
 * may change it.
 */
function memberOf(at: Found, writer: Writer, name: string): Definition | undefined {
  const { decl } = at;
  if (decl.kind === 'model') return modelMember(at, writer, name);
  if (decl.kind !== 'module' && decl.kind !== 'interface') return undefined;
  const { self } = writer;
  const changed = self?.overrides?.below.get(name);
  if (changed) return changed.line && { text: changed.line.whole, shown: true, by: [] };
  const member = decl.members.find((one) => one.name.name === name);
  if (member?.kind === 'static' || member?.kind === 'field')
    return { text: from(member.name.span, member.span), shown: true, by: siteOf(member.value, writer) };
  const param = decl.params.find((one) => one.name.name === name);
  if (!param) return undefined;
  const given = self?.decl === decl ? self.args.get(name) : undefined;
  return given ? { text: given.span, shown: false, by: siteOf(given, self?.writer) } : defaultOf(param, writer);
}

/** The definition in a model or its nearest base. */
function modelMember({ decl, file }: Found, writer: Writer, name: string): Definition | undefined {
  if (decl.kind !== 'model') return undefined;
  for (const member of decl.members) {
    if (member.kind === 'model-field' && member.path.steps.length === 1 && member.path.steps[0]?.kind === 'name') {
      if (member.path.steps[0].name.name === name)
        return { text: member.span, shown: true, by: siteOf(member.value, writer) };
    } else if (member.kind === 'model-let' && member.name.name === name) {
      return { text: member.span, shown: false, by: siteOf(member.value, writer) };
    }
  }
  const param = decl.params.find((one) => one.name.name === name);
  if (param) return defaultOf(param, writer);
  const base = decl.base && file.lookup(decl.base.name);
  return base && base.decl !== decl ? modelMember(base, writer, name) : undefined;
}

function isStatic({ kind }: Type): boolean {
  return kind === 'named-type' || kind === 'list-type';
}

/** Whether a type is of sizes, unlike floats, bools and strings. */
function isOfNumbers(type: Type): boolean {
  if (type.kind === 'list-type') return isOfNumbers(type.element);
  return type.kind === 'named-type' && !['float', 'bool', 'string', 'function'].includes(type.name.name);
}

function defaultOf({ span, type, value }: Param, writer: Writer): Definition {
  return { text: span, shown: value !== undefined && isOfNumbers(type), by: siteOf(value, writer) };
}

function siteOf(written: { readonly span: Span } | undefined, writer: Writer | undefined): readonly Site[] {
  return written && writer ? [{ span: written.span, writer }] : [];
}

/**
 * The definition of a function of static values, whose result may be wrong; a function of tensors is part of their
 * provenance.
 */
function staticFunction(file: FileScope, name: string): Definition | undefined {
  const found = file.lookup(name);
  if (found?.decl.kind !== 'fn' || (found.decl.result && !isStatic(found.decl.result))) return undefined;
  return { text: found.decl.body.span, label: `${name}(…) = `, shown: true, by: [] };
}

function from(name: Span, whole: Span): Span {
  return { ...whole, start: name.start };
}
