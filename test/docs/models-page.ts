import { readdirSync } from 'node:fs';
import { relative } from 'node:path';
import type { CheckResult } from '../../compiler/check/check.ts';
import { contentsOf, type Entry } from '../../compiler/contents/contents.ts';
import { type Gathered, gather } from '../../compiler/contents/gather.ts';
import type { Context } from '../../compiler/elaborate/context/context.ts';
import { builtins } from '../../compiler/elaborate/eval/builtins/table.ts';
import { inlineModel } from '../../compiler/elaborate/models/inline.ts';
import type { ModelGraph } from '../../compiler/elaborate/models/model.ts';
import { recipesOf } from '../../compiler/elaborate/source/recipe-chain.ts';
import type { ModelDecl, ModelMember, RecipeDecl, SourceFile } from '../../grammar/tree.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { flat, made, sourceOf, tableOf, textOf } from './declarations.ts';
import { bodyOf } from './library-page.ts';

/** A model with what came of its elaboration. */
interface Shown {
  readonly decl: ModelDecl;
  readonly tree: SourceFile;
  readonly model: ModelGraph;
  readonly parameters: number;
  readonly contents: readonly Gathered[];
}

interface RecipeAt {
  readonly tree: SourceFile;
  readonly decl: RecipeDecl;
}

/** The files of models that ship with crobc, the one that the others extend in front, those in folders behind. */
export function shippedFiles(): string[] {
  const names = readdirSync('models', { recursive: true, encoding: 'utf8' })
    .map((name) => name.replaceAll('\\', '/'))
    .filter((name) => name.endsWith('.crob') && name !== 'crobim.crob')
    .sort((a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1));
  return ['crobim.crob', ...names].map((name) => `models/${name}`);
}

/** The path of a file below `models/`. */
function below(tree: SourceFile): string {
  return relative('models', tree.file).replaceAll('\\', '/');
}

/** `docs/models.md`: the models, variants and recipes that ship with crobc, as they were checked. */
export function modelsPage({ program, models, context }: CheckResult): string {
  const shown = new Map<string, Shown>();
  const trees = shippedFiles().map((file) => {
    const tree = program.files.get(file)?.tree;
    if (!tree) throw new Error(`${file} was not checked`);
    for (const decl of tree.declarations) {
      const model = models.get(decl.name.name);
      if (decl.kind === 'model' && model) shown.set(decl.name.name, show(context, { decl, tree, model }));
    }
    return tree;
  });
  const all = [...shown.values()];
  const overview = all.map(({ decl, tree, parameters }) => [
    `[${decl.name.name}](#${decl.name.name.toLowerCase()})`,
    decl.base ? `[${decl.base.name}](#${decl.base.name.toLowerCase()})` : '',
    parameters.toLocaleString('en'),
    below(tree),
  ]);
  const recipes = trees.flatMap((tree) =>
    tree.declarations.flatMap((decl): RecipeAt[] => (decl.kind === 'recipe' ? [{ tree, decl }] : [])),
  );
  const sections = trees.map((tree) => {
    const own = all.filter((one) => one.tree === tree);
    const name = `models/${below(tree)}`;
    const modules = tree.declarations.flatMap((decl) =>
      decl.kind === 'module' ? [`### ${decl.name.name}\n\n${bodyOf(tree, decl)}\n`] : [],
    );
    return `## ${name}\n\n${tree.docs.join('\n')}\n\n${[...own.map((one) => modelText(one, shown)), ...modules].join('\n')}`;
  });
  return `# Models

This page documents the models, variants and recipes that ship with crobc, in \`models/\`. ${made('their source')}
The modules of their parts are documented in the [library](library.md). \`crobc describe models/crobim.crob mid\` lists a part with all values.

| section | contents |
| --- | --- |
${trees.map((tree) => `| [models/${below(tree)}](#models${below(tree).replace(/[./]/g, '')}) | ${tree.docs.join(' ')} |`).join('\n')}
| [Recipes](#recipes) | How the models are trained. |

${tableOf(['model', 'extends', 'weights', 'file'], overview)}

${sections.join('\n')}
## Recipes

A model is trained by its first recipe, or else by that of the nearest model that it extends; \`--recipe\` chooses another. A recipe of your own
can extend each of these and bind dims again: \`recipe mine for CroBIM extends paper at T = 40 { … }\`.

${tableOf(
  ['recipe', 'for', 'at', 'extends', 'file'],
  recipes.map((one) => recipeRow(one, recipes)),
)}

${recipes.map((one) => recipeText(one, recipes)).join('\n')}`;
}

function show(
  context: Context,
  at: { readonly decl: ModelDecl; readonly tree: SourceFile; readonly model: ModelGraph },
): Shown {
  const trained = weightsOf(inlineModel(at.model, new Map())).filter(({ role }) => role === 'param');
  const parameters = trained.reduce((sum, { shape }) => sum + shape.reduce((n, size) => n * size, 1), 0);
  return { ...at, parameters, contents: gather(contentsOf(context, at.model)) };
}

const architecture = `![The parts of CroBIM as boxes, from the inputs image, tokens and mask to the output logits, with the shapes of the values between them](images/architecture.svg)

The picture is drawn from the elaborated model. A dashed frame is a slot, which a variant fills with another module; \`×\` counts the items of
a list. A number is how many weights a part has. The image encoder gives four maps. CAPM makes prompts of them, which are put behind the
embedded words, so that the text encoder sees the image. LGFA reweights the maps by the words, and MID lets both interact and scores each pixel.`;

function modelText(one: Shown, all: ReadonlyMap<string, Shown>): string {
  const base = one.decl.base && all.get(one.decl.base.name);
  const text = base ? variantText(one, base) : baseText(one);
  const picture = one.decl.name.name === 'CroBIM' ? `${architecture}\n\n` : '';
  return `### ${one.decl.name.name}\n\n${one.decl.docs.join('\n')}\n\n${picture}${text}\n`;
}

/** A variant: what it changes, and the parts that its base has not. */
function variantText({ decl, tree, model, contents, parameters }: Shown, base: Shown): string {
  const held = new Set(base.contents.map(rowKey));
  const others = partRows(contents, (one) => !held.has(rowKey(one)));
  const count = `${parameters.toLocaleString('en')} weights; ${base.decl.name.name} has ${base.parameters.toLocaleString('en')}.`;
  return [
    block(textOf(tree, decl)),
    `${count} ${recipeLine(model)}`,
    others.length === 0
      ? ''
      : `Parts that ${base.decl.name.name} does not have, or that differ:\n\n${tableOf(partHeads, others)}`,
  ]
    .filter((one) => one !== '')
    .join('\n\n');
}

/** A model that extends none: everything in it. */
function baseText({ decl, tree, model, contents, parameters }: Shown): string {
  const of = <K extends ModelMember['kind']>(kind: K) =>
    decl.members.filter((member): member is Extract<ModelMember, { kind: K }> => member.kind === kind);
  const lines = (kind: ModelMember['kind']) =>
    block(
      of(kind)
        .map((member) => textOf(tree, member))
        .join('\n'),
    );
  const params = decl.params.map((param) => [
    code(param.name.name),
    code(textOf(tree, param.type)),
    param.value ? code(flat(textOf(tree, param.value))) : 'must be given',
    param.docs.join(' '),
  ]);
  const ports = [...of('input'), ...of('output')].map((member) => [
    member.kind,
    code(member.name.name),
    member.type ? code(flat(textOf(tree, member.type))) : '',
    member.docs.join(' '),
  ]);
  const where = decl.where.map((one) => code(flat(textOf(tree, one)))).join(', ');
  return [
    `${parameters.toLocaleString('en')} weights. ${recipeLine(model)}`,
    `Conditions: ${where}.`,
    `Parameters:\n\n${tableOf(['name', 'type', 'default', ''], params)}`,
    `Inputs and outputs:\n\n${tableOf(['', 'name', 'type', ''], ports)}`,
    `Parts, as in source:\n\n${lines('model-field')}`,
    `Equations, each of which a variant may replace by name:\n\n${block(
      [...of('model-let'), ...of('output')].map((member) => flat(textOf(tree, member))).join('\n'),
    )}`,
    `All parts, and the weights beside them. The weights of a layer such as Linear are in the [library](library.md). \`[*]\` stands for each item
of a list, \`{i}\`, \`{j}\` for their places in the names of weights files:\n\n${tableOf(partHeads, partRows(contents))}`,
  ].join('\n\n');
}

const partHeads = ['path', 'in weights files', 'module'];

/** Parts, and the weights of modules that have parts. */
function partRows(contents: readonly Gathered[], shown: (one: Gathered) => boolean = () => true): string[][] {
  const owners = new Set(contents.flatMap(({ entries: [{ kind, owner }] }) => (kind === 'part' ? [owner] : [])));
  return contents.filter(shown).flatMap((one) => {
    const [first] = one.entries;
    if (first.kind === 'part') {
      const modules = [...new Set(one.entries.flatMap((entry) => (entry.kind === 'part' ? [entry.module] : [])))];
      return [[code(one.path), code(one.file ?? ''), modules.map(moduleLink).join(', ')]];
    }
    if (first.kind === 'shared') return [[code(one.path), '', `is ${code(first.of)}`]];
    if (first.kind === 'weight' && owners.has(first.owner)) return [[code(one.path), code(one.file ?? ''), 'a weight']];
    return [];
  });
}

/** Modules that are declared beside models; all others are in the library. */
const besideModels: ReadonlySet<string> = new Set(
  shippedFiles()
    .flatMap((file) => sourceOf(file).declarations)
    .flatMap((decl) => (decl.kind === 'module' ? [decl.name.name] : [])),
);

function moduleLink(name: string): string {
  return `[${name}](${besideModels.has(name) ? '' : 'library.md'}#${name.toLowerCase()})`;
}

function rowKey({ path, file, entries: [first] }: Gathered): string {
  return [path, file, moduleOf(first)].join(' ');
}

function moduleOf(entry: Entry): string {
  return entry.kind === 'part' || entry.kind === 'shared' ? entry.module : '';
}

function recipeLine({ flat }: ModelGraph): string {
  const names = recipesOf(flat).map(({ decl }) => decl.name.name);
  const [first, ...others] = [...new Set(names)].map(code);
  if (first === undefined) return 'No recipe is for it.';
  return `Recipes: ${first}, which \`crobc train\` takes${others.length === 0 ? '' : `, and ${others.join(', ')}`}.`;
}

function recipeRow(one: RecipeAt, all: readonly RecipeAt[]): string[] {
  const { tree, decl } = one;
  return [
    recipeLink(decl.name.name),
    decl.model?.name ?? '',
    bindingsOf(one, all),
    decl.base ? recipeLink(decl.base.name) : '',
    below(tree),
  ];
}

/** A function of the model's own file has no entry in a page. */
function functionLink(name: string, tree: SourceFile): string {
  if (tree.declarations.some((one) => one.kind === 'fn' && one.name.name === name)) return code(name);
  return `[${name}](${builtins.has(name) ? 'builtins.md' : `library.md#${name}`})`;
}

/** Its source, and what it minimises, terms that it inherits included. */
function recipeText(one: RecipeAt, all: readonly RecipeAt[]): string {
  const { tree, decl } = one;
  const terms = [...termsOf(one, all).values()].map(({ tree, decl }) => {
    const loss = flat(textOf(tree, decl.value));
    const functions = new Set([...loss.matchAll(/\b(\w+)\(/g)].map(([, name = '']) => name));
    return [code(decl.name.name), code(loss), [...functions].map((name) => functionLink(name, tree)).join(', ')];
  });
  return `### Recipe ${decl.name.name}

${decl.docs.length === 0 ? '' : `${decl.docs.join('\n')}\n\n`}${block(textOf(tree, decl))}

The loss is the sum of these terms:

${tableOf(['term', 'value', 'made of'], terms)}
`;
}

interface TermAt {
  readonly tree: SourceFile;
  readonly decl: Extract<RecipeDecl['members'][number], { kind: 'term' }>;
}

/** Its terms by name, those of what it extends below its own. */
function termsOf(one: RecipeAt, all: readonly RecipeAt[]): ReadonlyMap<string, TermAt> {
  const base = baseOf(one, all);
  const found = new Map<string, TermAt>(base ? termsOf(base, all) : []);
  for (const member of one.decl.members)
    if (member.kind === 'term') found.set(member.name.name, { tree: one.tree, decl: member });
  return found;
}

function baseOf({ decl: { base } }: RecipeAt, all: readonly RecipeAt[]): RecipeAt | undefined {
  return base && all.find(({ decl }) => decl.name.name === base.name);
}

function recipeLink(name: string): string {
  return `[${name}](#recipe-${name})`;
}

/** Its dims, or those of what it extends. */
function bindingsOf(one: RecipeAt, all: readonly RecipeAt[]): string {
  const { bindings } = one.decl;
  const base = baseOf(one, all);
  if (bindings.length === 0 && base) return bindingsOf(base, all);
  return bindings.map(({ name, value }) => `${name.name} = ${value.kind === 'int' ? value.value : '…'}`).join(', ');
}

function code(text: string): string {
  return `\`${text}\``;
}

function block(text: string): string {
  return `\`\`\`text\n${text}\n\`\`\``;
}
