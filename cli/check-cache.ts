import { mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { FileCheck } from '../compiler/check/check-files.ts';
import type { Diagnostic } from '../compiler/diagnostics/diagnostic.ts';
import type { LockedModel } from '../compiler/lock/lock.ts';
import { asideName } from '../runtime/files/atomic-file.ts';
import { codeHash } from '../runtime/files/code-hash.ts';
import { reasonOf } from '../runtime/files/file-error.ts';
import { readTextSync } from '../runtime/files/read-file.ts';
import { diskHost, readSource, shippedFile } from '../runtime/files/source-host.ts';
import { sha256 } from '../runtime/files/text-hash.ts';
import type { LockedIn } from './commands/check-lock.ts';
import type { Io } from './io.ts';

/** The folder of the cache if none is given: as of other tools, below node_modules, or else that of the user. */
export function defaultCacheFolder({ cwd, environment }: Io): string {
  const modules = join(cwd, 'node_modules');
  if (statSync(modules, { throwIfNoEntry: false })?.isDirectory()) return join(modules, '.cache', 'crobc');
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'crobc', 'checks');
}

/** The result of a check of a file, and what a lock file has of its models, where that was computed. */
export interface CachedCheck {
  /** Without the graphs of its models. */
  readonly check: FileCheck;
  readonly locked: readonly LockedIn[] | undefined;
}

/** What an entry contains, as JSON; a map is a list of pairs. */
interface Stored {
  /** Everything that the name of the entry stands for. */
  readonly key: string;
  /** For each text that the check read, its SHA-256; null for a file that does not exist. */
  readonly texts: readonly (readonly [path: string, sha256: string | null])[];
  readonly uses: FileCheck['uses'];
  readonly diagnostics: readonly Diagnostic[];
  readonly unconstructed: readonly (readonly [string, Diagnostic])[];
  readonly constructed: readonly string[];
  readonly locked: readonly StoredLock[] | null;
}

type StoredLock = Omit<LockedIn, 'locked'> & {
  readonly locked: Omit<LockedModel, 'parts'> & { readonly parts: readonly (readonly [string, LockedPart])[] };
};
type LockedPart = LockedModel['parts'] extends ReadonlyMap<string, infer Part> ? Part : never;

/** Entries beyond which the oldest half is removed. */
const mostEntries = 2000;

/**
 * Results of checks without errors, an entry for each file. An entry holds if crobc's code, every text that the check
 * read, and the files that each `use` refers to are the same. It begins with its own hash, so that a damaged one counts as
 * absent. Entries are written aside and renamed, so that several processes may use one folder.
 */
export class CheckCache {
  readonly folder: string;
  readonly #cwd: string;
  readonly #host = diskHost();
  readonly #texts = new Map<string, { readonly text: string; readonly hash: string } | undefined>();

  constructor(folder: string, cwd: string) {
    this.folder = folder;
    this.#cwd = cwd;
  }

  /** Returns the earlier result for a file, if it holds; `locked` only one that has the models' part of a lock. */
  find(file: string, locked: boolean): CachedCheck | undefined {
    const stored = this.#read(file);
    if (!stored || (locked && !stored.locked)) return undefined;
    const { uses, diagnostics, unconstructed, constructed } = stored;
    if (!uses.every(({ from, path, target }) => this.#host.resolve(from, path) === target)) return undefined;
    const texts = new Map<string, string | undefined>();
    for (const [path, hash] of stored.texts) {
      const now = this.#textOf(path);
      if ((now?.hash ?? null) !== hash) return undefined;
      texts.set(path, now?.text);
    }
    return {
      check: {
        file,
        texts,
        uses,
        diagnostics: diagnostics.map(revived),
        unconstructed: new Map(unconstructed.map(([key, warning]) => [key, revived(warning)])),
        constructed: new Set(constructed),
        models: new Map(),
      },
      locked: stored.locked?.map((one) => ({ ...one, locked: { ...one.locked, parts: new Map(one.locked.parts) } })),
    };
  }

  /** Writes the results that can be kept; returns why they cannot be written, if so. */
  store(results: readonly CachedCheck[]): string | undefined {
    const kept = results.filter(({ check }) => check.diagnostics.every(isPlain));
    if (kept.length === 0) return undefined;
    try {
      mkdirSync(this.folder, { recursive: true });
      for (const one of kept) this.#write(one);
      this.#removeOldest();
      return undefined;
    } catch (error) {
      return `the cache in ${this.folder} cannot be written: ${reasonOf(error)}`;
    }
  }

  #keyOf(file: string): string {
    return JSON.stringify([codeHash(), this.#cwd, file]);
  }

  #pathOf(key: string): string {
    return join(this.folder, `${sha256(key)}.json`);
  }

  #read(file: string): Stored | undefined {
    const key = this.#keyOf(file);
    try {
      const text = readTextSync(this.#pathOf(key), 'record');
      const end = text.indexOf('\n');
      const body = text.slice(end + 1);
      if (text.slice(0, end) !== sha256(body)) return undefined;
      const stored: Stored = JSON.parse(body);
      return stored.key === key ? stored : undefined;
    } catch {
      return undefined;
    }
  }

  #write({ check, locked }: CachedCheck): void {
    const key = this.#keyOf(check.file);
    const stored: Stored = {
      key,
      texts: [...check.texts].map(([path, text]) => [path, text === undefined ? null : sha256(text)]),
      uses: check.uses,
      diagnostics: check.diagnostics,
      unconstructed: [...check.unconstructed],
      constructed: [...check.constructed],
      locked: locked?.map((one) => ({ ...one, locked: { ...one.locked, parts: [...one.locked.parts] } })) ?? null,
    };
    const body = JSON.stringify(stored);
    const path = this.#pathOf(key);
    const aside = asideName(path, 'part');
    writeFileSync(aside, `${sha256(body)}\n${body}`);
    renameSync(aside, path);
  }

  #removeOldest(): void {
    const names = readdirSync(this.folder);
    if (names.length <= mostEntries) return;
    const ages = names.flatMap((name) => {
      const path = join(this.folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      return found?.isFile() ? [{ path, written: found.mtimeMs }] : [];
    });
    ages.sort((a, b) => a.written - b.written);
    for (const { path } of ages.slice(0, ages.length - mostEntries / 2)) rmSync(path, { force: true });
  }

  #textOf(path: string) {
    if (!this.#texts.has(path)) {
      const text = readSource(shippedFile(path) ?? path);
      this.#texts.set(path, typeof text === 'string' ? { text, hash: sha256(text) } : undefined);
    }
    return this.#texts.get(path);
  }
}

/** Whether a diagnostic can be kept: what it says depends on nothing but the texts that were read, and it is plain data. */
function isPlain({ severity, needs, details }: Diagnostic): boolean {
  return severity !== 'error' && needs === undefined && details.every((one) => typeof one === 'string');
}

/** JSON leaves out what is undefined. */
function revived(stored: Diagnostic): Diagnostic {
  return { ...stored, help: stored.help };
}
