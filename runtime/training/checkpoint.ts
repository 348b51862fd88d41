import { createHash } from 'node:crypto';
import { copyFile, link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { FileError, fileError } from '../files/file-error.ts';
import { type Check, isCount, isNumber, isObject, isShallow, isText, listOf, objectOf, orNull } from '../files/json.ts';
import { makeFolder } from '../files/make-folder.ts';
import { flushFolder } from '../files/open-file.ts';
import { parseJson } from '../files/parse-json.ts';
import { readParts, readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from '../weights/safetensors.ts';

/** The best evaluation so far. */
export interface Best {
  readonly step: number;
  readonly score: number;
}

/** The progress of a run after `step` steps. Its place in the data follows from the step. */
export interface Progress {
  readonly step: number;
  /** Total training time, including that before a resume. */
  readonly seconds: number;
  /** Values of the last step; null before the first one. */
  readonly last: { readonly loss: number; readonly lr: number } | null;
  readonly best: Best | null;
  /** Number of evaluations since the best one. */
  readonly worse: number;
  /** Last evaluated step; 0 if there is none. */
  readonly evaluated: number;
}

/** Identifies a run. A run can be resumed only from its own checkpoints. */
export interface RunIdentity {
  readonly model: string;
  readonly seed: number;
  /** Resolved settings by name. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly hashes: {
    readonly model: string;
    readonly loss: string;
    readonly data: string;
    readonly vocabulary: string;
  };
  readonly surroundings: Surroundings;
}

/** Settings of a run that affect at most the last digits of its numbers. */
export interface Surroundings {
  readonly crobc: string;
  readonly backend: string;
  readonly device: string;
  /** Null for onnxruntime's default. */
  readonly threads: number | null;
  readonly recompute: readonly string[];
}

/** A state tensor, the file in which it is stored, and its name there. */
export interface StoredTensor {
  readonly name: string;
  readonly file: 'weights' | 'state';
  readonly as: string;
  readonly shape: readonly number[];
}

export interface Checkpoint {
  readonly path: string;
  readonly progress: Progress;
  readonly identity: RunIdentity;
}

const format = 'crobc checkpoint 2';
const jsonName = 'checkpoint.json';
const fileNames = { weights: 'weights.safetensors', state: 'state.safetensors' } as const;

/** Size and checksum of each file, by name. */
type Files = Readonly<
  Record<(typeof fileNames)[keyof typeof fileNames], { readonly bytes: number; readonly sha256: string }>
>;

interface Json {
  readonly format: string;
  readonly progress: Progress;
  readonly identity: RunIdentity;
  readonly files: Files;
}

/** Whether a value is the progress of a run. */
export const isProgress: Check<Progress> = objectOf({
  step: isCount,
  seconds: isNumber,
  last: orNull(objectOf({ loss: isNumber, lr: isNumber })),
  best: orNull(objectOf({ step: isCount, score: isNumber })),
  worse: isCount,
  evaluated: isCount,
});
const isIdentity: Check<RunIdentity> = objectOf({
  model: isText,
  seed: isCount,
  recipe: isObject,
  hashes: objectOf({ model: isText, loss: isText, data: isText, vocabulary: isText }),
  surroundings: objectOf({
    crobc: isText,
    backend: isText,
    device: isText,
    threads: orNull(isCount),
    recompute: listOf(isText),
  }),
});
const isFile = objectOf({ bytes: isCount, sha256: isText });
const isJson: Check<Json & { readonly sha256: string }> = objectOf({
  format: isText,
  progress: isProgress,
  identity: isIdentity,
  files: objectOf({ [fileNames.weights]: isFile, [fileNames.state]: isFile }),
  sha256: isText,
});

/**
 * The checkpoints of a run: folders `checkpoints/step-00000120` with the weights for predictions, the rest of the
 * state, and JSON with their checksums. A folder is written under a temporary name, flushed and then renamed, so it
 * exists completely or not at all. `last.safetensors` and `best.safetensors` beside them are links to these files, or
 * copies of them, under fixed names.
 */
export class CheckpointStore {
  readonly dir: string;
  readonly #folder: string;
  /** Metadata of the files of weights, in addition to their step. */
  readonly #metadata: Readonly<Record<string, string>>;

  constructor(dir: string, metadata: Readonly<Record<string, string>> = {}) {
    this.dir = dir;
    this.#folder = join(dir, 'checkpoints');
    this.#metadata = metadata;
  }

  /** Returns the steps of the complete checkpoints, latest first. */
  async steps(): Promise<number[]> {
    const names = await readdir(this.#folder).catch(() => []);
    return names
      .flatMap((name) => {
        const [, digits] = /^step-(\d+)$/.exec(name) ?? [];
        return digits === undefined ? [] : [Number(digits)];
      })
      .sort((a, b) => b - a);
  }

  pathOf(step: number): string {
    return join(this.#folder, `step-${String(step).padStart(8, '0')}`);
  }

  /** Removes incomplete checkpoints that a killed run left behind. */
  async clearUnfinished(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => []))
      if (name.endsWith('.part')) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  /**
   * Writes a checkpoint and removes older ones except the previous and the best.
   * Throws a UserError; older ones then remain.
   */
  async save(
    progress: Progress,
    identity: RunIdentity,
    state: ReadonlyMap<string, Float32Array>,
    stored: readonly StoredTensor[],
  ): Promise<string> {
    const path = this.pathOf(progress.step);
    const part = `${path}.${process.pid}.part`;
    try {
      // The checkpoint exists if a stop interrupted the evaluation after this step; its tensors are the same.
      const files = await wholeFiles(path);
      if (files) await writeFileAtomic(join(path, jsonName), sealed({ format, progress, identity, files }));
      else await this.#write(path, part, progress, identity, state, stored);
    } catch (error) {
      await rm(part, { recursive: true, force: true }).catch(() => undefined);
      const { message } = fileError('write', path, error);
      throw new UserError(message.replaceAll(part, path));
    }
    await this.expose(progress);
    await this.#prune(progress.best?.step);
    return path;
  }

  async #write(
    path: string,
    part: string,
    progress: Progress,
    identity: RunIdentity,
    state: ReadonlyMap<string, Float32Array>,
    stored: readonly StoredTensor[],
  ): Promise<void> {
    await makeFolder(part);
    const written = async (kind: 'weights' | 'state') => {
      const file = join(part, fileNames[kind]);
      const metadata = { ...(kind === 'weights' ? this.#metadata : {}), format: 'pt', step: String(progress.step) };
      await writeSafetensors(file, tensorsOf(kind, state, stored), metadata);
      return checksum(file);
    };
    const files: Files = { [fileNames.weights]: await written('weights'), [fileNames.state]: await written('state') };
    await writeFileAtomic(join(part, jsonName), sealed({ format, progress, identity, files }));
    await flushFolder(part);
    await rename(part, path);
    await flushFolder(this.#folder);
  }

  /** Updates `last.safetensors` and `best.safetensors` to this progress. */
  async expose({ step, best }: Progress): Promise<void> {
    await this.#linkWeights(step, 'last.safetensors');
    if (best) await this.#linkWeights(best.step, 'best.safetensors');
    else await rm(join(this.dir, 'best.safetensors'), { force: true });
  }

  /**
   * Returns the latest intact checkpoint before step `before`; undefined if there is none. Damaged
   * ones are renamed, with a message for each.
   */
  async latest(report: (line: string) => void, before = Number.POSITIVE_INFINITY): Promise<Checkpoint | undefined> {
    for (const step of await this.steps()) {
      if (step >= before) continue;
      const path = this.pathOf(step);
      try {
        const { progress, identity } = await verified(path);
        return { path, progress, identity };
      } catch (error) {
        // If the file cannot be read because of the disk or its permissions, it need not be damaged.
        if (!(error instanceof UserError) || (error instanceof FileError && !isAbsence(error))) throw error;
        const aside = `${path}.damaged`;
        try {
          await rm(aside, { recursive: true, force: true });
          await rename(path, aside);
        } catch (failed) {
          throw new UserError(`${error.message}; ${fileError('write', aside, failed).message}`);
        }
        report(`${error.message}; it is now ${aside}`);
      }
    }
    return undefined;
  }

  /** Returns the tensors of a checkpoint by state name. Throws a UserError if they do not match. */
  async load(checkpoint: Checkpoint, stored: readonly StoredTensor[]): Promise<Map<string, Float32Array>> {
    const values = new Map<string, Float32Array>();
    for (const kind of ['weights', 'state'] as const) {
      const file = await SafetensorsFile.open(join(checkpoint.path, fileNames[kind]));
      try {
        for (const { name, as, shape } of stored.filter((one) => one.file === kind)) {
          const entry = file.tensors.get(as);
          if (entry === undefined || entry.shape.join() !== shape.join()) {
            throw new UserError(
              `${file.path} has no ${as} of shape [${shape.join(', ')}]: it is of another model or recipe`,
            );
          }
          values.set(name, await file.float32(as));
        }
      } finally {
        await file.close();
      }
    }
    return values;
  }

  async #linkWeights(step: number, name: string): Promise<void> {
    const from = join(this.pathOf(step), fileNames.weights);
    const to = join(this.dir, name);
    const temporary = join(this.dir, `.${name}.${process.pid}.part`);
    try {
      await rm(temporary, { force: true });
      // A hard link if the file system supports it, else a copy.
      await link(from, temporary).catch(() => copyFile(from, temporary));
      await rename(temporary, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw fileError('write', to, error);
    } finally {
      // A rename between two links to the same file has no effect, so the temporary link may still exist.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #prune(best: number | undefined): Promise<void> {
    const [, , ...old] = await this.steps();
    for (const step of old) {
      if (step === best) continue;
      // Renamed first, so that a partly removed folder does not look like a checkpoint.
      const doomed = `${this.pathOf(step)}.part`;
      await rm(doomed, { recursive: true, force: true });
      await rename(this.pathOf(step), doomed);
      await rm(doomed, { recursive: true, force: true });
    }
  }
}

function tensorsOf(
  kind: 'weights' | 'state',
  state: ReadonlyMap<string, Float32Array>,
  stored: readonly StoredTensor[],
): TensorToWrite[] {
  return stored
    .filter(({ file }) => file === kind)
    .map(({ name, as, shape }) => ({ name: as, dtype: 'F32', shape, data: () => state.get(name)! }));
}

async function checksum(path: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const part of readParts(path, 'bytes', 1 << 20)) {
    hash.update(part);
    bytes += part.length;
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** Returns the JSON with a checksum of all other members as its last member. */
function sealed(json: Json): string {
  const body = JSON.stringify(json, null, 2);
  const sha256 = createHash('sha256').update(body).digest('hex');
  return `${JSON.stringify({ ...json, sha256 }, null, 2)}\n`;
}

async function verified(path: string): Promise<Json> {
  const file = join(path, jsonName);
  const damaged = (what: string) => new UserError(`the checkpoint ${path} is damaged (${what})`);
  let text: string;
  try {
    text = await readText(file, 'record');
  } catch (error) {
    throw error instanceof FileError && isAbsence(error) ? damaged(`cannot read ${jsonName}: ${error.reason}`) : error;
  }
  let held: unknown;
  try {
    held = parseJson(text);
  } catch {
    throw damaged(`${jsonName} is no JSON`);
  }
  if (!isObject(held) || held.format !== format) throw damaged(`${jsonName} is of another kind`);
  if (!isJson(held) || !isShallow(held)) throw damaged(`${jsonName} does not have what a checkpoint has`);
  const { sha256: _, ...json } = held;
  if (sealed(json) !== text) throw damaged(`${jsonName} was changed`);
  for (const name of Object.values(fileNames)) {
    const wanted = json.files[name];
    const found = await stat(join(path, name)).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw fileError('read', join(path, name), error);
    });
    if (found === undefined) throw damaged(`${name} is missing`);
    if (found.size !== wanted.bytes) throw damaged(`${name} has ${found.size} bytes of ${wanted.bytes}`);
    if ((await checksum(join(path, name))).sha256 !== wanted.sha256) throw damaged(`${name} was changed`);
  }
  return json;
}

/** Whether the file does not exist or is not a regular file; otherwise the system failed to read it. */
function isAbsence({ code }: FileError): boolean {
  return code === undefined || code === 'ENOENT' || code === 'ENOTDIR';
}

/** Returns the checksums of a checkpoint if it exists and is intact. */
async function wholeFiles(path: string): Promise<Files | undefined> {
  return verified(path).then(
    ({ files }) => files,
    () => undefined,
  );
}
