import { readdirSync, readFileSync } from 'node:fs';
import {
  type ClassDeclaration,
  type ExportedDeclarations,
  type FunctionDeclaration,
  type JSDoc,
  Node,
  Project,
  type SourceFile,
} from 'ts-morph';

const entries = [
  { name: 'crobc', file: 'api/compiler.ts' },
  { name: 'crobc/runtime', file: 'api/runtime.ts' },
  { name: 'crobc/grammar', file: 'api/grammar.ts' },
] as const;

const { 'onnxruntime-node': onnxruntime } = (
  JSON.parse(readFileSync('package.json', 'utf8')) as { peerDependencies: Readonly<Record<string, string>> }
).peerDependencies;

const preface = `# API

This page documents what other programs can import from crobc. It is generated from the doc comments in \`api/\`. The package is ESM with
types, for Node.js 20.19 and later. It has three entry points; nothing else in the package can be imported:

| entry point | functions |
| --- | --- |
| [\`crobc\`](#crobc) | check, compile, namedValues, summary, build |
| [\`crobc/runtime\`](#crobcruntime) | sessions, predict, train, evaluate |
| [\`crobc/grammar\`](#crobcgrammar) | text to syntax tree and back |

Errors in a source are returned as data: diagnostics with a code, a place and a help text. Other errors that the caller can fix, such as a
missing file, are thrown as a \`UserError\` with a message of one line. Any other exception is a bug in crobc.

\`npm install crobc\` runs no install script and downloads only packages. Functions that run a model (sessions, \`predict\`, \`train\`,
\`evaluate\`) also need onnxruntime-node, version ${onnxruntime}:

\`\`\`text
npm install --ignore-scripts onnxruntime-node@${onnxruntime}
\`\`\`

Without the flag, the install script of onnxruntime-node downloads CUDA's provider on Linux; if the download fails, npm installs nothing.
`;

/** The page of the package's entry points. */
export function apiPage(): string {
  // Only the files that declare what is exported, as the syntax of these says everything.
  const project = new Project({ useInMemoryFileSystem: true });
  const files = readdirSync('api').map((name) => `api/${name}`);
  for (const file of [...files, 'grammar/tree.ts', 'grammar/span.ts', 'runtime/files/user-error.ts'])
    project.createSourceFile(file, readFileSync(file, 'utf8'));
  const parts = [preface];
  const shown = new Map<ExportedDeclarations, string>();
  for (const { name, file } of entries) {
    const all = exportsOf(project.getSourceFileOrThrow(file));
    const own = all.filter(([, declaration]) => !shown.has(declaration) && !isTree(declaration));
    for (const [, declaration] of own) shown.set(declaration, name);
    const others = all.filter(([, declaration]) => !own.some(([, one]) => one === declaration));
    parts.push(`## ${name}\n`, ...own.map(([exported, declaration]) => section(exported, declaration)));
    const again = others.filter(([, declaration]) => !isTree(declaration)).map(([exported]) => `\`${exported}\``);
    if (again.length > 0) parts.push(`${again.sort().join(', ')} are the same as in the entry points above.\n`);
    const tree = others.filter(([, declaration]) => isTree(declaration)).map(([exported]) => `\`${exported}\``);
    if (tree.length > 0) parts.push(`The types of a syntax tree: ${tree.sort().join(', ')}.\n`);
  }
  return `${parts.join('\n').trimEnd()}\n`;
}

/** Functions first, in the order of the file; then types. */
function exportsOf(file: SourceFile): (readonly [string, ExportedDeclarations])[] {
  const all = [...file.getExportedDeclarations()].flatMap(([name, declarations]) =>
    declarations.map((declaration) => [name, declaration] as const),
  );
  const isFunction = ([, declaration]: readonly [string, ExportedDeclarations]) =>
    Node.isFunctionDeclaration(declaration);
  return [...all.filter(isFunction), ...all.filter((one) => !isFunction(one))];
}

/** A part of the syntax tree, of which there are many. */
function isTree(declaration: Node): boolean {
  return /\/grammar\/(tree|span)\.ts$/.test(declaration.getSourceFile().getFilePath());
}

function section(name: string, declaration: ExportedDeclarations): string {
  if (Node.isFunctionDeclaration(declaration)) return functionSection(name, declaration);
  if (Node.isClassDeclaration(declaration)) return typeSection(name, classText(declaration), declaration.getJsDocs());
  if (Node.isInterfaceDeclaration(declaration) || Node.isTypeAliasDeclaration(declaration))
    return typeSection(name, declaration.getText(), declaration.getJsDocs());
  throw new Error(`docs/api.md has no form for ${declaration.getKindName()} ${name}`);
}

function functionSection(name: string, declaration: FunctionDeclaration): string {
  const docs = docOf(name, declaration.getJsDocs());
  const tags = docs
    .getTags()
    .map((tag) => ({ kind: tag.getTagName(), text: (tag.getCommentText() ?? '').trim(), all: tag.getText() }));
  const lines = [`### ${name}\n`, docs.getDescription().trim(), ''];
  lines.push(block(signature(declaration)));
  for (const { kind, text, all } of tags) {
    if (kind === 'throws') lines.push(`Throws \`UserError\` ${text.replace(/^UserError\s+/, '')}\n`);
    else if (kind === 'param') lines.push(`\`${all.split(/\s+/)[1]}\`: ${text}\n`);
    else if (kind === 'example') lines.push(block(exampleText(all)));
    else throw new Error(`docs/api.md has no form for @${kind} of ${name}`);
  }
  return lines.join('\n');
}

/** Without the star in front of each line. */
function exampleText(tag: string): string {
  return tag
    .replace(/^@example\s*\n?/, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
    .trim();
}

function signature(declaration: FunctionDeclaration): string {
  const types = declaration.getTypeParameters().map((one) => one.getText());
  const params = declaration.getParameters().map((one) => one.getText());
  const generics = types.length > 0 ? `<${types.join(', ')}>` : '';
  return `function ${declaration.getName()}${generics}(${params.join(', ')}): ${declaration.getReturnTypeNodeOrThrow().getText()};`;
}

function typeSection(name: string, text: string, docs: readonly JSDoc[]): string {
  return `### ${name}\n\n${docOf(name, docs).getDescription().trim()}\n\n${block(text.replace(/^\/\*\*[\s\S]*?\*\/\n/, '').replace(/^export /, ''))}`;
}

/** Its public properties, as an interface would have them. */
function classText(declaration: ClassDeclaration): string {
  const base = declaration.getExtends();
  const properties = declaration
    .getProperties()
    .filter(
      (property) => !property.getJsDocs().some((docs) => docs.getTags().some((tag) => tag.getTagName() === 'internal')),
    )
    .map((property) => {
      const docs = property.getJsDocs().map((one) => `  ${one.getText()}\n`);
      const type =
        property.getTypeNode()?.getText() ?? JSON.stringify(property.getType().getLiteralValue()).replaceAll('"', "'");
      return `${docs.join('')}  readonly ${property.getName()}: ${type};\n`;
    });
  return `class ${declaration.getName()}${base ? ` extends ${base.getText()}` : ''} {\n${properties.join('')}}`;
}

function docOf(name: string, docs: readonly JSDoc[]): JSDoc {
  const [doc] = docs;
  if (doc === undefined) throw new Error(`${name} is exported without a doc comment`);
  return doc;
}

function block(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\`\n`;
}
