import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { cachedDataVersionTag } from 'node:v8';
import { Script } from 'node:vm';
import { crc32 } from 'node:zlib';

/** Maximum number of Node.js versions and V8 settings whose compiled code is stored side by side. */
const keptStates = 8;

/** Two 32-bit checksums at the start of a stored file: of the source, and of the compiled code after them. */
const sumsLength = 8;

interface Loaded {
  readonly script: Script;
  readonly sourceSum: number;
  /** Whether V8 accepted the stored code, so that nothing was compiled. */
  readonly cached: boolean;
}

/**
 * Loads the files of the bundle: CommonJS modules, each written as a function, that require each other by `./name.cjs`.
 * V8's compiled code of an earlier run is stored next to them, because compiling crobc took a quarter of the time of a
 * check. Anyone who can write there could run code as the user of crobc, so the stored code is used only if nobody but
 * the user and root can write. V8 checks that the code was compiled by the same version with the same settings. crobc
 * checks that it is complete and belongs to this source: V8 would crash on damaged code, and run code of another
 * source. Code that fails a check is compiled again and stored.
 */
export class BundleLoader {
  readonly #folder: string;
  readonly #compiled: string;
  readonly #require: NodeJS.Require;
  readonly #modules = new Map<string, { exports: unknown }>();
  #trusted: boolean | undefined;
  readonly #scripts = new Map<string, Loaded>();

  constructor(folder: string) {
    this.#folder = folder;
    this.#compiled = join(folder, 'compiled', `${process.arch}-${cachedDataVersionTag().toString(16)}`);
    this.#require = createRequire(join(folder, 'main.cjs'));
  }

  load(name: string): unknown {
    const known = this.#modules.get(name);
    if (known) return known.exports;
    const module = { exports: {} };
    this.#modules.set(name, module);
    const run = this.#compile(name).runInThisContext() as (...parts: unknown[]) => void;
    const path = join(this.#folder, name);
    run(module.exports, (id: string) => this.#required(id), module, path, this.#folder, importPackage);
    return module.exports;
  }

  #required(id: string): unknown {
    return id.startsWith('./') ? this.load(id.slice(2)) : this.#require(id);
  }

  #compile(name: string): Script {
    const path = join(this.#folder, name);
    const source = readFileSync(path);
    const sourceSum = crc32(source);
    const cachedData = this.#kept(name, sourceSum);
    // The build writes only ASCII, so there is nothing to decode.
    const script = new Script(source.toString('latin1'), { filename: path, ...(cachedData && { cachedData }) });
    const cached = cachedData !== undefined && script.cachedDataRejected !== true;
    this.#scripts.set(name, { script, sourceSum, cached });
    return script;
  }

  #kept(name: string, sourceSum: number): Buffer | undefined {
    const file = this.#isTrusted() ? readTrusted(join(this.#compiled, name)) : undefined;
    if (file === undefined || file.length < sumsLength) return undefined;
    const data = file.subarray(sumsLength);
    return file.readUInt32LE(0) === sourceSum && file.readUInt32LE(4) === crc32(data) ? data : undefined;
  }

  /** Checked once: if nobody else can write to the folder now, nobody else can later. */
  #isTrusted(): boolean {
    this.#trusted ??= [dirname(this.#compiled), this.#compiled].every((folder) => {
      try {
        const stats = statSync(folder);
        return stats.isDirectory() && isOwn(stats);
      } catch {
        return false;
      }
    });
    return this.#trusted;
  }

  /**
   * Stores newly compiled code; called at the end of a run, when V8 has compiled all that it needs. Code that cannot be
   * stored is compiled again by the next run.
   */
  keepCompiled(): void {
    const fresh = [...this.#scripts].filter(([, { cached }]) => !cached);
    if (fresh.length === 0) return;
    try {
      const states = dirname(this.#compiled);
      mkdirSync(states, { recursive: true, mode: 0o755 });
      const others = readdirSync(states).filter((state) => state !== basename(this.#compiled));
      if (others.length >= keptStates) return;
      mkdirSync(this.#compiled, { recursive: true, mode: 0o755 });
      // Do not write files that no run would trust.
      this.#trusted = undefined;
      if (!this.#isTrusted()) return;
      for (const [name, { script, sourceSum }] of fresh) {
        const data = script.createCachedData();
        const sums = Buffer.alloc(sumsLength);
        sums.writeUInt32LE(sourceSum, 0);
        sums.writeUInt32LE(crc32(data), 4);
        writeWhole(join(this.#compiled, name), Buffer.concat([sums, data]));
      }
    } catch {
      // For example, a system folder or a full disk.
    }
  }
}

/**
 * Whether only the user or root can have written it. Windows reports no owner, and keeps others out of a user's
 * folders.
 */
function isOwn({ uid, mode }: Stats): boolean {
  const user = process.geteuid?.();
  return user === undefined || ((uid === user || uid === 0) && (mode & 0o022) === 0);
}

/** Opens the file before it checks it, so that the checked file is the one that is read. */
function readTrusted(path: string): Buffer | undefined {
  let file: number | undefined;
  try {
    file = openSync(path, 'r');
    const stats = fstatSync(file);
    return stats.isFile() && isOwn(stats) ? readFileSync(file) : undefined;
  } catch {
    return undefined;
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

function importPackage(name: string): Promise<unknown> {
  return import(name);
}

/** Writes atomically (temporary file, then rename): another run may be reading. */
function writeWhole(path: string, data: Buffer): void {
  const temporary = `${path}.${process.pid}`;
  try {
    writeFileSync(temporary, data, { mode: 0o644, flag: 'wx' });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}
