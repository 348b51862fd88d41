import { dirname, posix, relative, resolve, sep } from 'node:path';
import { compile, type SourceHost } from '../../compiler/compile.ts';
import type { Program } from '../../compiler/elaborate/source/program.ts';
import { settingsFile } from '../../compiler/elaborate/source/settings-source.ts';
import { graphHash } from '../../compiler/ir/hash.ts';
import { diskHost, isShipped } from '../files/source-host.ts';
import type { TrainedRecord } from '../weights/trained-record.ts';
import type { FileCompiled } from './source-model.ts';

export type RecordedModel = TrainedRecord['model'];

/** The folder of the user's own files in a record: no name in it can be one that ships with crobc. */
const ownFolder = 'source';

export interface Recording {
  readonly program: Program;
  /** The file that the user named. */
  readonly file: string;
  readonly model: string;
  /** Hash of the graph for inference at `dims`. */
  readonly graph: string;
  readonly dims: ReadonlyMap<string, number>;
  readonly overrides: readonly string[];
}

/**
 * Returns a model with all its sources as data. Undefined if the sources alone do not give the same graph: a recipe may
 * train a model of another file under settings that only the recipe's file can name.
 */
export function recordModel({ program, file, model, graph, dims, overrides }: Recording): RecordedModel | undefined {
  const files = [...program.files].filter(([path]) => path !== settingsFile);
  const root = commonFolder(files.map(([path]) => path).filter((path) => !isShipped(path)));
  const named = (path: string) => (isShipped(path) ? path : recordedName(root, path));
  const sources = Object.fromEntries(
    files.map(([path, scope]) => [named(path), scope.tree.text] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  );
  const declaring = files.filter(([, { tree }]) =>
    tree.declarations.some((one) => one.kind === 'model' && one.name.name === model),
  );
  const candidates = new Set([file, ...declaring.map(([path]) => path)].filter((path) => program.files.has(path)));
  for (const candidate of candidates) {
    const recorded = { name: model, graph, file: named(candidate), sources, dims: Object.fromEntries(dims), overrides };
    const again = compileRecorded(recorded).graph;
    if (again && graphHash(again) === graph) return recorded;
  }
  return undefined;
}

/** Compiles a recorded model from its own sources, without reading files. */
export function compileRecorded({ name, file, sources, dims, overrides }: RecordedModel): FileCompiled {
  const host = recordedHost(new Map(Object.entries(sources)));
  return { ...compile(host, file, { model: name, dims: new Map(Object.entries(dims)), overrides }), file };
}

/** The sources of a record. A `use` refers to the same files as on the disk that they came from. */
function recordedHost(sources: ReadonlyMap<string, string>): SourceHost {
  const { prelude, parsed } = diskHost();
  return {
    prelude,
    ...(parsed ? { parsed } : {}),
    library: () => [...sources.keys()].filter((name) => name.startsWith('std/')),
    read: (path) => sources.get(path),
    resolve(from, path) {
      const [first, ...rest] = path;
      if (first === 'std') return `std/${rest.join('/')}.crob`;
      const beside = posix.join(posix.dirname(from), `${path.join('/')}.crob`);
      return first === 'models' && rest.length > 0 && !sources.has(beside)
        ? `crobc/models/${rest.join('/')}.crob`
        : beside;
    },
  };
}

/** The deepest folder that contains all files; empty without files. */
function commonFolder(files: readonly string[]): string {
  const [first, ...others] = files.map((file) => dirname(resolve(file)).split(sep));
  if (!first) return '';
  let shared = first.length;
  for (const other of others) {
    const differs = first.findIndex((name, i) => name !== other[i]);
    if (differs >= 0) shared = Math.min(shared, differs);
  }
  return first.slice(0, shared).join(sep) || sep;
}

function recordedName(root: string, path: string): string {
  return posix.join(ownFolder, relative(root, resolve(path)).replaceAll(sep, '/'));
}
