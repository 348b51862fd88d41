import type { SourceHost } from '../../compiler/compile.ts';
import { variables } from '../../compiler/dims/dim.ts';
import { Program } from '../../compiler/elaborate/source/program.ts';
import { type CompiledFile, compileFrom, requireModel } from '../../runtime/build/source-model.ts';
import { anatomyOf } from '../../runtime/diff/anatomy.ts';
import { differencesOf, type ModelDifferences } from '../../runtime/diff/differences.ts';
import { type GitRevision, openRevision } from '../../runtime/files/git-revision.ts';
import { diskHost, ownPath } from '../../runtime/files/source-host.ts';
import { UsageError } from '../../runtime/files/usage-error.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { isPrintedRight } from '../compile-file.ts';
import { differencesJson } from '../diff/json.ts';
import { renderMarkdown, renderText } from '../diff/render.ts';
import { foundFiles } from '../found-files.ts';
import type { Io } from '../io.ts';
import { modelsOf, type Reference, referenceOf } from '../model-reference.ts';
import { complain, printJson, printLine, printText } from '../print.ts';
import { readSettings, type Settings } from '../settings.ts';

export interface DiffOptions {
  readonly base?: string;
  readonly set?: readonly string[];
  readonly depth: number;
  readonly wide?: boolean;
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly picture?: string;
  readonly exitCode?: boolean;
}

/** `crobc diff`. Returns 0, with `--exit-code` 1 if a graph differs; 1 if a source has errors. */
export async function diff(io: Io, given: readonly string[], options: DiffOptions): Promise<number> {
  if (options.picture !== undefined) await checkName(options.picture);
  if (options.json && options.markdown) throw new UsageError('--json and --markdown are two forms: give one');
  return options.base === undefined ? ofTwo(io, given, options) : ofRevision(io, given, options.base, options);
}

async function ofTwo(io: Io, given: readonly string[], options: DiffOptions): Promise<number> {
  const [first, second, ...more] = given.map(referenceOf);
  if (!first || !second || more.length > 0)
    throw new UsageError('diff compares two models, FILE:MODEL each; or with --base REV, those of a revision');
  const settings = readSettings(options.set);
  const host = diskHost();
  const before = compiled(io, host, first, settings);
  const after = before && compiled(io, host, second, settings);
  if (!before || !after) return 1;
  const found = differencesOf(anatomyOf(before), anatomyOf(after));
  await draw({ before, after, found }, options);
  if (options.json) printJson(io, differencesJson(found));
  else print(io, found, options);
  return options.exitCode && isDifferent(found) ? 1 : 0;
}

/** Compiles a model; prints errors and returns undefined if there are any. */
function compiled(
  io: Io,
  host: SourceHost,
  { file, model }: Reference,
  settings: Settings,
  revision?: string,
): CompiledFile | undefined {
  const found = compileFrom(host, file, { model, ...settings });
  if (model === undefined && found.models.length > 1)
    throw new UsageError(`${file} has several models: name one, as ${file}:${found.models[0]}`);
  if (isPrintedRight(io, found)) return requireModel(found, { model });
  if (revision !== undefined) complain(io, `crobc: these are errors of ${file} in ${revision}`);
  return undefined;
}

function print(io: Io, found: ModelDifferences, { base, depth, wide = false, markdown = false }: DiffOptions): void {
  const names = base === undefined ? ([found.before.model, found.after.model] as const) : ([base, 'now'] as const);
  const options = { depth, wide, names };
  printText(io, markdown ? renderMarkdown(found, options) : renderText(found, options, terminalWidth(io.stdout)));
}

/** Refuses the name of a picture; what draws is loaded only if there is one. */
async function checkName(file: string): Promise<void> {
  const { checkPictureName } = await import('../../runtime/drawing/write-picture.ts');
  checkPictureName('--picture', file);
}

/** Writes the picture of `--picture`. */
async function draw(
  { before, after, found }: Pair,
  { picture, depth, base }: Pick<DiffOptions, 'picture' | 'depth' | 'base'>,
): Promise<void> {
  if (picture === undefined) return;
  const { loadFonts } = await import('../../runtime/drawing/fonts.ts');
  const { writePicture } = await import('../../runtime/drawing/write-picture.ts');
  const { dataFlow } = await import('../../runtime/pictures/data-flow.ts');
  const { differencesPicture } = await import('../../runtime/pictures/differences.ts');
  const flowOf = (one: CompiledFile) => dataFlow(one, Math.max(1, depth));
  const { model } = found.after;
  const names = base === undefined ? ([found.before.model, model] as const) : ([`${model} in ${base}`, model] as const);
  const drawing = differencesPicture(found, [flowOf(before), flowOf(after)], names, await loadFonts());
  await writePicture(picture, drawing);
}

/** Two compiled models, and what differs. */
interface Pair {
  readonly before: CompiledFile;
  readonly after: CompiledFile;
  readonly found: ModelDifferences;
}

function isDifferent({ verdict }: ModelDifferences): boolean {
  return verdict === 'graphs' || verdict === 'training';
}

/** A model that the working tree and a revision both have, or only one of them. */
interface Compared {
  readonly file: string;
  readonly model: string;
  readonly status: 'added' | 'removed' | 'both';
}

async function ofRevision(io: Io, given: readonly string[], base: string, options: DiffOptions): Promise<number> {
  const settings = readSettings(options.set);
  const revision = openRevision(io.cwd, base);
  const host = diskHost();
  const models: Compared[] = [];
  for (const { file, model } of await filesOf(given, revision))
    models.push(...comparedIn(host, revision.host, file).filter((one) => model === undefined || one.model === model));
  for (const { file, model } of given.map(referenceOf)) {
    if (model !== undefined && !modelsOf(host, file).includes(model) && !modelsOf(revision.host, file).includes(model))
      throw new UsageError(`${file} has no model ${model}, neither now nor in ${base}`);
  }
  const pairs: Pair[] = [];
  const used = new Set<string>();
  const found: { readonly one: Compared; readonly differences: ModelDifferences | undefined }[] = [];
  for (const one of models) {
    if (one.status !== 'both') {
      found.push({ one, differences: undefined });
      continue;
    }
    const before = side(io, revision.host, one, settings, used, base);
    const after = before && side(io, host, one, settings, used);
    if (!before || !after) return 1;
    const differences = differencesOf(anatomyOf(before), anatomyOf(after));
    found.push({ one, differences });
    if (differences.verdict !== 'none') pairs.push({ before, after, found: differences });
  }
  const unknown = [...settings.dims.keys()].filter((name) => !used.has(name));
  if (unknown.length > 0 && found.some(({ differences }) => differences))
    throw new UsageError(`--set ${unknown[0]}: no model that changed has this dim`);
  const changed = found.filter(({ differences }) => differences?.verdict !== 'none');
  const [pair, ...further] = pairs;
  if (options.picture !== undefined && further.length > 0)
    throw new UsageError(
      `--picture draws one model, and ${pairs.length} differ: name one, as ${pair?.found.after.file}:${pair?.found.after.model}`,
    );
  if (pair) await draw(pair, options);
  else if (options.picture !== undefined)
    complain(io, `note: ${options.picture} is not written, because no model differs`);
  if (options.json) {
    printJson(io, {
      base,
      commit: revision.commit,
      models: changed.map(({ one, differences }) => ({
        file: one.file,
        model: one.model,
        status: differences?.verdict ?? one.status,
        differences: differences ? differencesJson(differences) : null,
      })),
    });
  } else if (changed.length === 0) {
    printLine(io, `no difference from ${base}`);
  } else {
    for (const [i, { one, differences }] of changed.entries()) {
      if (i > 0 && !options.markdown) printLine(io, '');
      if (differences) print(io, differences, options);
      else if (options.markdown) printText(io, `### \`${one.model}\`\n\nin \`${one.file}\`: ${one.status}\n\n`);
      else printLine(io, `${one.status === 'added' ? '+++' : '---'} ${one.file}:${one.model}  ${one.status}`);
    }
  }
  const isChanged = changed.some(({ differences }) => !differences || isDifferent(differences));
  return options.exitCode && isChanged ? 1 : 0;
}

/**
 * A model with those of the sizes that it has. `used` receives their names; models of a repository have different dims.
 */
function side(
  io: Io,
  host: SourceHost,
  one: Pick<Compared, 'file' | 'model'>,
  { dims, overrides }: Settings,
  used: Set<string>,
  revision?: string,
): CompiledFile | undefined {
  const open = compiled(io, host, one, { dims: new Map(), overrides }, revision);
  if (!open || dims.size === 0) return open;
  const known = new Set(open.graph.inputs.flatMap(({ value }) => value.type.shape.flatMap((d) => [...variables(d)])));
  const own = new Map([...dims].filter(([name]) => known.has(name)));
  for (const name of own.keys()) used.add(name);
  return compiled(io, host, one, { dims: own, overrides }, revision);
}

/** The files of the working tree and of the revision that the arguments name; without arguments, all of them. */
async function filesOf(given: readonly string[], revision: GitRevision): Promise<Reference[]> {
  const references = given.map(referenceOf);
  const named = references.filter(({ model }) => model !== undefined);
  const paths = references.flatMap(({ file, model }) => (model === undefined ? [file] : []));
  const files = new Set<string>();
  if (paths.length > 0 || named.length === 0) {
    const there = paths.filter((path) => !revision.files.includes(path));
    if (paths.length === 0 || there.length > 0) {
      const found = await foundFiles(there);
      const unusable = [...found.unusable].filter(([path]) => !isFolderOf(path, revision.files));
      for (const [, message] of unusable) throw new UsageError(message);
      for (const file of found.files) files.add(file);
    }
    for (const file of revision.files)
      if (paths.length === 0 || paths.some((path) => path === file || isFolderOf(path, [file]))) files.add(file);
  }
  return [...named, ...[...files].sort().map((file) => ({ file, model: undefined }))];
}

function isFolderOf(path: string, files: readonly string[]): boolean {
  const folder = path === '.' ? '' : `${path.replace(/\/+$/, '')}/`;
  return files.some((file) => file.startsWith(folder));
}

/** The models of a file on either side; none if every source that the file reads is the same on both. */
function comparedIn(now: SourceHost, then: SourceHost, given: string): Compared[] {
  const file = ownPath(given);
  const [after, before] = [now, then].map((host) => {
    const program = new Program(host);
    program.load(file);
    return new Map([...program.files].map(([path, { tree }]) => [path, tree.text]));
  });
  const isSame = after?.size === before?.size && [...(after ?? [])].every(([path, text]) => before?.get(path) === text);
  if (isSame) return [];
  const [present, past] = [modelsOf(now, file), modelsOf(then, file)];
  return [...new Set([...past, ...present])].map((model) => ({
    file,
    model,
    status: !past.includes(model) ? 'added' : !present.includes(model) ? 'removed' : 'both',
  }));
}
