import { nearest } from '../../../grammar/nearest.ts';
import { parse } from '../../../grammar/parse.ts';
import { placedAnew } from '../../../grammar/place-anew.ts';
import type { Span } from '../../../grammar/span.ts';
import type { Declaration, Param, ParseResult, SourceFile, UseDecl } from '../../../grammar/tree.ts';
import { type Diagnostic, diagnostic } from '../../diagnostics/diagnostic.ts';
import { fromSyntax } from '../../diagnostics/from-syntax.ts';
import { checkComparisons } from './choices.ts';
import { didYouMean } from './did-you-mean.ts';
import { doubtOf } from './doubt.ts';
import { isDoubtful } from './doubtful.ts';
import type { FileScope, Found } from './file-scope.ts';
import { asTyped, type SettingsSource, settingsFile } from './settings-source.ts';
import { importHelp } from './unknown-names.ts';

/** Provides source text, so that the compiler reads no files itself. Paths are results of `resolve`. */
export interface SourceHost {
  /** Returns the text of a file; undefined if it does not exist. */
  read(path: string): string | undefined;
  /**
   * Returns the path of a `use`: `use std.nn` is absolute (below the library), `use layers.block` relative to the
   * file's folder.
   */
  resolve(from: string, path: readonly string[]): string;
  /** Returns the paths of the library's files, which are searched for a name that a file does not import. */
  library?(): readonly string[];
  /** Returns the cached tree of a file, if this very text has been parsed before. */
  parsed?(path: string, text: string): ParseResult | undefined;
  /** Returns the `use` paths of shipped files: `std.backbone`, `models.crobim`. Called only if a file is not found. */
  shipped?(): readonly string[];
  /** The library file whose names are in scope in every file; undefined without a library. */
  readonly prelude: string | undefined;
}

/** The last parsed text of each path, so that an editor or a check of many files parses the library only once. */
const parsed = new Map<string, { readonly text: string; readonly result: ReturnType<typeof parse> }>();

function parsedOnce(path: string, text: string): ReturnType<typeof parse> {
  const known = parsed.get(path);
  if (known?.text === text) return known.result;
  const result = parse(path, text);
  parsed.set(path, { text, result });
  return result;
}

/** Returns the scopes of files without messages: messages also depend on files that are not imported. */
function soundScopes({ files, diagnostics }: Program): ReadonlyMap<string, FileScope> {
  const found = new Map(files);
  for (const { span } of diagnostics) found.delete(span.file);
  return found;
}

/** Whether a declaration is one that modules, functions, interfaces and types cannot refer to. */
function isOfModels({ kind }: Declaration): boolean {
  return kind === 'model' || kind === 'recipe' || kind === 'weights';
}

/** Returns the scopes of an earlier program that a program of this host would make again. */
function unchangedScopes(
  earlier: ReadonlyMap<string, FileScope>,
  prelude: FileScope | undefined,
  host: SourceHost,
): ReadonlyMap<string, FileScope> {
  const found = new Map(earlier);
  const isSame = ({ file, tree, uses }: FileScope): boolean =>
    host.read(file) === tree.text && uses.every(({ use, target }) => host.resolve(file, namesOf(use)) === target);
  for (const [path, scope] of found) if (!isSame(scope)) found.delete(path);
  if (prelude && !found.has(prelude.file)) return new Map();
  for (let size = -1; size !== found.size; ) {
    size = found.size;
    for (const [path, { uses }] of found) if (!uses.every(({ target }) => found.has(target))) found.delete(path);
  }
  return found;
}

/** The names that a file's `use`s have imported so far. */
interface Imports {
  readonly imports: Map<string, Found>;
  /** The span of each imported name. */
  readonly imported: Map<string, Span>;
  readonly unknown: Set<string>;
}

/** Returns the names in the path of a `use`: `std.linear`. */
function namesOf({ path }: UseDecl): string[] {
  return path.map(({ name }) => name);
}

/** Returns every parameter list in a declaration. */
function parameterLists(decl: Declaration): (readonly Param[])[] {
  const own = 'params' in decl ? [decl.params] : [];
  if (decl.kind !== 'module' && decl.kind !== 'interface') return own;
  return [...own, ...decl.members.flatMap((member) => (member.kind === 'method' ? [member.params] : []))];
}

/**
 * The files reachable from some root files, parsed and linked. After an earlier program, the scopes of files that are
 * as they were, with all that they import, are the same objects.
 */
export class Program {
  readonly files = new Map<string, FileScope>();
  readonly diagnostics: Diagnostic[] = [];
  readonly #host: SourceHost;
  /** Scopes of the earlier program without messages, by path. */
  readonly #earlier: ReadonlyMap<string, FileScope>;
  /** Those that are as they would be made again. */
  readonly #unchanged: ReadonlyMap<string, FileScope>;
  /** The `id` of the earlier program's prelude. */
  readonly #earlierPrelude: string | undefined;
  /** The number of scopes that each path has had in this program and those before it. */
  readonly #versions: Map<string, number>;
  readonly prelude: FileScope | undefined;

  constructor(host: SourceHost, earlier?: Program) {
    this.#host = host;
    this.#earlier = earlier ? soundScopes(earlier) : new Map();
    this.#unchanged = unchangedScopes(this.#earlier, earlier?.prelude, host);
    this.#earlierPrelude = earlier?.prelude?.id;
    // The same counters, because scopes of the earlier program may ask for their `id` later.
    this.#versions = earlier ? earlier.#versions : new Map();
    this.prelude = host.prelude === undefined ? undefined : this.load(host.prelude);
  }

  /** Loads a file and its imports; undefined if it does not exist. */
  load(path: string): FileScope | undefined {
    const known = this.files.get(path);
    if (known) return known;
    const same = this.#unchanged.get(path);
    if (same) {
      this.files.set(path, same);
      for (const { target } of same.uses) this.load(target);
      return same;
    }
    const text = this.#host.read(path);
    return text === undefined ? undefined : this.#add(path, text, () => this.prelude);
  }

  /** Whether modules, functions, interfaces and types have the same meaning in two scopes of a path. */
  #isAlike(before: FileScope, { file, tree, uses, lookup }: FileScope): boolean {
    if (this.prelude?.id !== this.#earlierPrelude) return false;
    if (tree.text !== before.tree.text || this.diagnostics.some(({ span }) => span.file === file)) return false;
    const isSame = (name: string): boolean => {
      const [was, is] = [before.lookup(name), lookup(name)];
      if (!was || !is || was.decl.kind !== is.decl.kind) return false;
      return isOfModels(is.decl) || (was.file.file === is.file.file && was.file.id === is.file.id);
    };
    return uses.every(({ use }) => use.names.every(({ name, alias }) => isSame((alias ?? name).name)));
  }

  /** Returns the `id` of a new scope: no path contains the character before the number. */
  #newId(path: string): string {
    const version = this.#versions.get(path) ?? 0;
    this.#versions.set(path, version + 1);
    return version === 0 ? path : `${path}\0${version}`;
  }

  /**
   * Adds settings as source outside of any file, in the scope `around`. Their spans are those of the typed text, and
   * their declarations have the names of what they change, so that no other source can refer to them.
   */
  inline(settings: SettingsSource, around: FileScope): FileScope {
    const { tree, faults } = placedAnew(parse(settingsFile, settings.text), (span) => asTyped(settings, span));
    for (const fault of faults) this.diagnostics.push(fromSyntax(fault));
    const typed: SourceFile = { ...tree, text: settings.typed };
    const scope: FileScope = {
      ...around,
      file: settingsFile,
      id: settingsFile,
      tree: typed,
      declarations: new Map(),
      unknown: new Set(),
      mayHave: (name) => around.mayHave(name),
    };
    this.files.set(settingsFile, scope);
    for (const { name, span, help } of settings.refused) this.#report(diagnostic('CROB2320', span, { name }, { help }));
    return scope;
  }

  #add(path: string, text: string, outer: () => FileScope | undefined): FileScope {
    const { tree: read, faults } = this.#host.parsed?.(path, text) ?? parsedOnce(path, text);
    const doubt = read.unread.length > 0 ? doubtOf(read) : undefined;
    const tree = doubt?.tree ?? read;
    for (const fault of faults) this.diagnostics.push(fromSyntax(fault));
    const declarations = new Map<string, Declaration>();
    for (const decl of tree.declarations) {
      if (decl.kind === 'example') continue;
      const earlier = declarations.get(decl.name.name);
      if (earlier) {
        this.#report(
          diagnostic(
            'CROB2004',
            decl.name.span,
            { name: decl.name.name },
            {
              notes: [{ span: earlier.name.span, text: 'first declared here' }],
            },
          ),
        );
      } else {
        declarations.set(decl.name.name, decl);
      }
    }
    const imports = new Map<string, Found>();
    const unknown = new Set(doubt?.words);
    let id: string | undefined;
    const uses = tree.uses.map((use) => ({ use, target: this.#host.resolve(path, namesOf(use)) }));
    const newId = () => this.#newId(path);
    const scope: FileScope = {
      file: path,
      // In a circle of imports, it is asked for before all of them are known.
      get id() {
        id ??= newId();
        return id;
      },
      tree,
      uses,
      declarations,
      unknown,
      doubt,
      lookup(name) {
        const own = declarations.get(name);
        if (own) return { decl: own, file: scope };
        const around = outer();
        return imports.get(name) ?? (around === scope ? undefined : around?.lookup(name));
      },
      mayHave(name) {
        const around = outer();
        return unknown.has(name) || (around !== scope && around?.mayHave(name) === true);
      },
      names: function* () {
        yield* declarations.keys();
        yield* imports.keys();
        const around = outer();
        if (around && around !== scope) yield* around.names();
      },
    };
    this.files.set(path, scope);
    const imported = new Map<string, Span>();
    for (const { use, target } of uses) this.#import(scope, use, target, { imports, imported, unknown });
    for (const decl of tree.declarations) {
      this.#checkParameters(decl);
      this.diagnostics.push(...checkComparisons(decl, scope).filter((d) => !isDoubtful(this, d)));
    }
    const before = this.#earlier.get(path);
    if (before && this.#isAlike(before, scope)) id ??= before.id;
    return scope;
  }

  #import(scope: FileScope, use: UseDecl, target: string, { imports, imported, unknown }: Imports): void {
    const path = namesOf(use);
    const file = this.load(target);
    if (!file) {
      const help = this.#shippedHelp(use);
      this.#report(diagnostic('CROB2003', use.span, { path: path.join('.'), file: target }, { help }));
      for (const { name, alias } of use.names) unknown.add((alias ?? name).name);
      return;
    }
    for (const { name, alias } of use.names) {
      const own = alias ?? name;
      const earlier = imported.get(own.name) ?? scope.declarations.get(own.name)?.name.span;
      imported.set(own.name, own.span);
      if (earlier)
        this.#report(
          diagnostic(
            'CROB2004',
            own.span,
            { name: own.name },
            { notes: [{ span: earlier, text: 'first declared here' }] },
          ),
        );
      const decl = file.declarations.get(name.name);
      if (!decl && file.doubt?.words.has(name.name)) unknown.add(own.name);
      else if (!decl) {
        const help = importHelp(this, scope, name.name) ?? didYouMean(name.name, file.declarations.keys());
        this.#report(diagnostic('CROB2002', name.span, { name: name.name, path: path.join('.') }, { help }));
        unknown.add(own.name);
      } else imports.set(own.name, { decl, file });
    }
  }

  /** The help for `use crobim.{…}`: a shipped file with that name, or with a similar one. */
  #shippedHelp({ path, names }: UseDecl): string | undefined {
    const asked = path.map(({ name }) => name).join('.');
    const shipped = this.#host.shipped?.() ?? [];
    const within = shipped.find((one) => one.endsWith(`.${asked}`));
    const meant = within ?? nearest(asked, shipped);
    if (meant === undefined) return undefined;
    const listed = names.map(({ name, alias }) => (alias ? `${name.name} as ${alias.name}` : name.name)).join(', ');
    const written = `\`use ${meant}.{${listed}}\``;
    if (!within) return `did you mean ${written}?`;
    return `${meant.startsWith('models.') ? 'the shipped models are' : 'the library has it:'} ${written}`;
  }

  #checkParameters(decl: Declaration): void {
    for (const params of parameterLists(decl))
      for (const [i, { name }] of params.entries()) {
        const earlier = params.slice(0, i).find((other) => other.name.name === name.name);
        if (!earlier) continue;
        const notes = [{ span: earlier.name.span, text: 'first declared here' }];
        this.#report(diagnostic('CROB2004', name.span, { name: name.name }, { notes }));
      }
  }

  /** Returns the library file that declares a name, even if no file imports it. */
  libraryFileOf(name: string): string | undefined {
    const paths = this.#host.library?.() ?? [...this.files.keys()].filter((path) => path.startsWith('std/'));
    return paths.find((path) => {
      const known = this.files.get(path);
      if (known) return known.declarations.has(name);
      const text = this.#host.read(path);
      if (text === undefined) return false;
      const { tree } = this.#host.parsed?.(path, text) ?? parsedOnce(path, text);
      return tree.declarations.some((decl) => decl.kind !== 'example' && decl.name.name === name);
    });
  }

  #report(d: Diagnostic): void {
    this.diagnostics.push(d);
  }

  text(span: Span): string {
    return (this.files.get(span.file)?.tree.text ?? '').slice(span.start, span.end);
  }
}
