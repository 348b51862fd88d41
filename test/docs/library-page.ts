import { readdirSync } from 'node:fs';
import type {
  Declaration,
  Expr,
  FieldMember,
  InterfaceDecl,
  ModuleDecl,
  ModuleMember,
  SourceFile,
} from '../../grammar/tree.ts';
import { flat, header, made, sourceOf, tableOf, textOf } from './declarations.ts';
import { interfacesOf, type Size, sizeOf } from './sizes.ts';

/** What a reader looks for first. */
const libraryOrder = [
  'linear',
  'conv',
  'norm',
  'attention',
  'drop',
  'pooling',
  'resize',
  'tensor',
  'position',
  'losses',
];

/** A heading with what stands below it; `names` are what the contents list. */
interface Entry {
  readonly heading: string;
  readonly names: readonly string[];
  readonly body: string;
}

/** `docs/library.md`: what each module of the library takes, has and does. */
export function libraryPage(): string {
  const names = readdirSync('stdlib')
    .filter((name) => name.endsWith('.crob'))
    .map((name) => name.replace('.crob', ''));
  const rank = (name: string) => (libraryOrder.includes(name) ? libraryOrder.indexOf(name) : libraryOrder.length);
  const files = names.filter((name) => name !== 'prelude').sort((a, b) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const prelude = library('prelude').uses.flatMap((use) => use.names.map(({ name }) => `\`${name.name}\``));
  const sections = files.map((name) => ({ name, tree: library(name), entries: entriesOf(name) }));
  const anchors = new Anchors();
  const contents = sections.map(({ name, entries }) => {
    const section = anchors.of(`std.${name}`);
    const links = entries.flatMap((entry) => {
      const anchor = anchors.of(entry.heading);
      return entry.names.map((one) => `[${one}](#${anchor})`);
    });
    return [`[std.${name}](#${section})`, links.join(', ')];
  });
  const text = sections.map(
    ({ name, tree, entries }) =>
      `## std.${name}\n\n${tree.docs.join('\n')}\n\n${entries.map(({ heading, body }) => `### ${heading}\n\n${body}\n`).join('\n')}`,
  );
  return `# The library

The library has layers, backbones, text encoders, the parts of CroBIM and of models that it is compared with, and losses. It is written in crob, in \`stdlib/\`.
${made('its source')}
[Models](models.md) documents the models that ship with crobc.

These names need no \`use\`: ${prelude.join(', ')}. All other names must be imported: \`use std.backbone.{SwinB}\`.

${tableOf(['file', 'contents'], contents)}

The name of each module is followed by its signature: its parameters, of which those without a default must be given, and its methods.
*Statics* are computed from the parameters and can be read from outside, as in \`backbone.channels\`. The table lists parts and weights: the
name that overrides and recipes use, the path in weights files below that of the module, and the source that constructs it.
\`crobc describe\` lists the same for a model, with values.

${text.join('\n')}`;
}

function library(name: string): SourceFile {
  return sourceOf(`stdlib/${name}.crob`);
}

/** GitHub's anchors of headings: one that comes again has a number. */
export class Anchors {
  readonly #seen = new Map<string, number>();
  of(heading: string): string {
    const anchor = heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-');
    const before = this.#seen.get(anchor) ?? 0;
    this.#seen.set(anchor, before + 1);
    return before === 0 ? anchor : `${anchor}-${before}`;
  }
}

function entriesOf(name: string): Entry[] {
  const tree = library(name);
  const sizes = tree.declarations.flatMap((decl) => (decl.kind === 'fn' ? (sizeOf(name, decl) ?? []) : []));
  const isFirst = (size: Size) => sizes.find(({ module }) => module === size.module) === size;
  return tree.declarations.flatMap((decl): Entry[] => {
    const size = sizes.find((one) => one.decl === decl);
    if (size) return isFirst(size) ? [sizesEntry(sizes.filter(({ module }) => module === size.module))] : [];
    const body = bodyOf(tree, decl);
    return body === undefined ? [] : [{ heading: decl.name.name, names: [decl.name.name], body }];
  });
}

/** What a page says of a declaration; undefined for those that no page has. */
export function bodyOf(tree: SourceFile, decl: Declaration): string | undefined {
  switch (decl.kind) {
    case 'module':
      return paragraphs(moduleText(tree, decl), decl.docs.join('\n'), ...details(tree, decl), inherited(tree, decl));
    case 'interface':
      return paragraphs(moduleText(tree, decl), decl.docs.join('\n'), ...details(tree, decl), promises(decl));
    case 'fn':
      return paragraphs(block(header(tree, decl)), decl.docs.join('\n'));
    case 'type':
      return paragraphs(block(textOf(tree, decl)), decl.docs.join('\n'));
    case 'weights':
      return paragraphs(block(`weights ${decl.name.name} for ${decl.target.name}`), decl.docs.join('\n'));
    default:
      return undefined;
  }
}

function paragraphs(...all: readonly (string | undefined)[]): string {
  return all.filter((one) => one !== undefined && one !== '').join('\n\n');
}

function block(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}

function methodsOf(decl: ModuleDecl | InterfaceDecl) {
  return decl.members.filter((member) => member.kind === 'method');
}

/** The signature and those of its methods. */
function moduleText(tree: SourceFile, decl: ModuleDecl | InterfaceDecl): string {
  const promised = decl.members.flatMap((member) =>
    member.kind === 'static' && decl.kind === 'interface' ? [textOf(tree, member)] : [],
  );
  const own = decl.members.flatMap((member) => {
    if (member.kind === 'method') return [header(tree, member)];
    return member.kind === 'implementation' ? [signatureOf(tree, decl, member.name.name)] : [];
  });
  const inside = [...promised, ...own];
  return block([header(tree, decl), ...inside.map((one) => one.replace(/^/gm, '  '))].join('\n'));
}

/** That of the interface, for a method that is written without. */
function signatureOf(tree: SourceFile, decl: ModuleDecl | InterfaceDecl, name: string): string {
  for (const { tree: of, decl: promising } of interfacesOf(tree, decl))
    for (const member of promising.members)
      if (member.kind === 'method' && member.name.name === name) return header(of, member);
  throw new Error(`${decl.name.name}.${name}: no interface has its signature`);
}

/** What the documentation says of parameters and methods, then statics, parts and weights. */
function details(tree: SourceFile, decl: ModuleDecl | InterfaceDecl): readonly string[] {
  const members: readonly ModuleMember[] = decl.kind === 'module' ? decl.members : [];
  const methods = decl.members.filter(({ kind }) => kind === 'method' || kind === 'implementation');
  const noted = [...decl.params, ...methods].filter(({ docs }) => docs.length > 0);
  const statics = members.flatMap((member) =>
    member.kind === 'static' ? [`\`${flat(textOf(tree, member).replace(/^static\s+/, ''))}\``] : [],
  );
  const rows = members.flatMap((member) => rowOf(tree, member));
  return [
    ...noted.map(({ name, docs }) => `\`${name.name}\`: ${docs.join('\n')}`),
    statics.length === 0 ? '' : `Statics: ${statics.join('; ')}.`,
    rows.length === 0 ? '' : tableOf(['part or weight', 'in weights files', 'made by'], rows),
  ];
}

function rowOf(tree: SourceFile, member: ModuleMember): readonly (readonly string[])[] {
  const { name } = member.name;
  switch (member.kind) {
    case 'field': {
      const path = isList(member.value) ? `${name}[i]` : name;
      return [[code(path), fileOf(member), code(flat(textOf(tree, member.value)))]];
    }
    case 'param':
    case 'buffer': {
      const first = member.kind === 'param' ? member.init : member.value;
      const initial = first ? ` ~ ${textOf(tree, first)}` : '';
      const marks = member.attributes.filter(({ name }) => name.name !== 'path').map((one) => `${textOf(tree, one)} `);
      const kind = member.kind === 'buffer' ? 'buffer ' : '';
      const file = pathAttribute(member.attributes) ?? name;
      return [[code(name), code(file), code(flat(`${marks.join('')}${kind}${textOf(tree, member.type)}${initial}`))]];
    }
    case 'static':
    case 'method':
    case 'implementation':
      return [];
  }
}

function code(text: string): string {
  return `\`${text}\``;
}

/** Where a part is in weights files, seen from its module. */
function fileOf({ name, attributes, value }: FieldMember): string {
  const path = pathAttribute(attributes) ?? name.name;
  if (path === '') return 'among those of the module itself';
  return code(isList(value) && !path.includes('{i}') ? `${path}.{i}` : path);
}

function pathAttribute(attributes: FieldMember['attributes']): string | undefined {
  const value = attributes.find(({ name }) => name.name === 'path')?.args[0]?.value;
  return value?.kind === 'string' ? value.value : undefined;
}

/** Whether a part is a list of parts. */
export function isList(expr: Expr): boolean {
  if (expr.kind === 'if') return [expr.then, expr.otherwise].some(({ value }) => value !== undefined && isList(value));
  return expr.kind === 'comprehension' || expr.kind === 'list';
}

/** Which methods of an interface a module has to write. */
function promises(decl: InterfaceDecl): string {
  const names = (given: boolean) =>
    methodsOf(decl)
      .filter(({ body }) => (body !== undefined) === given)
      .map(({ name }) => code(name.name));
  const [must, may] = [names(false), names(true)];
  return [
    must.length === 0 ? '' : `A module that fills it must give ${must.join(', ')}.`,
    may.length === 0
      ? ''
      : `${may.join(', ')} ${may.length === 1 ? 'has a body here' : 'have bodies here'}, which a module may replace.`,
  ]
    .filter((one) => one !== '')
    .join(' ');
}

/** Methods that a module has from its interfaces. */
function inherited(tree: SourceFile, decl: ModuleDecl): string {
  const own = decl.members.map(({ name }) => name.name);
  return interfacesOf(tree, decl)
    .flatMap(({ decl: { name, members } }) => {
      const taken = members.flatMap((member) =>
        member.kind === 'method' && member.body && !own.includes(member.name.name) ? [member.name.name] : [],
      );
      own.push(...taken);
      const list = taken.map(code).join(', ');
      return taken.length === 0 ? [] : [`With the bodies of [${name.name}](#${name.name.toLowerCase()}): ${list}.`];
    })
    .join(' ');
}

/** Functions that stand for one module with numbers of their own. */
function sizesEntry(sizes: readonly Size[]): Entry {
  const names = sizes.map(({ decl }) => decl.name.name);
  const { module, values } = sizes[0]!;
  const columns = values.map(({ name }) => name);
  const rows = sizes.map(({ decl, parameters, values }) => [
    code(decl.name.name),
    parameters.toLocaleString('en'),
    ...columns.map((name) => code(values.find((one) => one.name === name)?.value ?? '')),
  ]);
  const notes = sizes.flatMap(({ decl }) =>
    decl.docs.length === 0 ? [] : [`- \`${decl.name.name}\`: ${decl.docs.join('\n  ')}`],
  );
  const example = values.find(({ name }) => name === 'depth' || name === 'depths') ?? values[0];
  return {
    heading: names.join(', '),
    names,
    body: paragraphs(
      block(sizes.map(({ signature }) => signature).join('\n')),
      `[${module}](#${module.toLowerCase()}) in several sizes: the number of trained weights, and the parameters of ${module} as they come out. A variant sets any of
them below the part, as in \`${example?.part}.${example?.name} = ${example?.value}\`.`,
      tableOf(['', 'weights', ...columns], rows),
      notes.join('\n'),
    ),
  };
}
