import { createHash } from 'node:crypto';
import { copyFile, link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../files/atomic-file.ts';
import { FileError, fileError } from '../files/file-error.ts';
import { type Check, isCount, isNumber, isObject, isShallow, isText, listOf, objectOf, orNull } from '../files/json.ts';
import { makeFolder } from '../files/make-folder.ts';
import { flushFolder } from '../files/open-file.ts';
import { readParts, readText } from '../files/read-file.ts';
import { UserError } from '../files/user-error.ts';
import { SafetensorsFile, type TensorToWrite, writeSafetensors } from '../weights/safetensors.ts';

/** The best evaluation so far. */
export interface Best {
  readonly step: number;
  readonly score: number;
}

/** Where a run stands after `step` steps. The place in the data follows from the step. */
export interface Progress {
  readonly step: number;
  /** Spent on training so far, over all the run's parts. */
  readonly seconds: number;
  /** Of the last step; null before the first. */
  readonly last: { readonly loss: number; readonly lr: number } | null;
  readonly best: Best | null;
  /** Evaluations since the best one. */
  readonly worse: number;
  /** The last step that was evaluated; 0 before the first. */
  readonly evaluated: number;
}

/** What a checkpoint belongs to; a run goes on only from one of its own. */
export interface RunIdentity {
  readonly model: string;
  readonly seed: number;
  /** Setting → value, resolved. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly hashes: {
    readonly model: string;
    readonly loss: string;
    readonly data: string;
    readonly vocabulary: string;
  };
  readonly surroundings: Surroundings;
}

/** What changes no more than the last digits of a run's numbers. */
export interface Surroundings {
  readonly crobc: string;
  readonly backend: string;
  readonly device: string;
  /** Null: as many as onnxruntime takes by itself. */
  readonly threads: number | null;
  readonly recompute: readonly string[];
}

/** A tensor of state with the file it goes to and its name there. */
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

/** Bytes and checksum of each file, by its name. */
type Files = Readonly<
  Record<(typeof fileNames)[keyof typeof fileNames], { readonly bytes: number; readonly sha256: string }>
>;

interface Json {
  readonly format: string;
  readonly progress: Progress;
  readonly identity: RunIdentity;
  readonly files: Files;
}

const isProgress: Check<Progress> = objectOf({
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
 * The checkpoints of a run: folders `checkpoints/step-00000120` with the weights as predictions use them, the rest of
 * the state, and JSON with their checksums. A folder is written under another name, flushed and then renamed, so that
 * one is there complete or not at all. `last.safetensors` and `best.safetensors` beside them are the same files under
 * a name that stays.
 */
export class CheckpointStore {
  readonly dir: string;
  readonly #folder: string;

  constructor(dir: string) {
    this.dir = dir;
    this.#folder = join(dir, 'checkpoints');
  }

  /** Steps of the complete checkpoints, the latest first. */
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

  /** What a run that was killed left half written. */
  async clearUnfinished(): Promise<void> {
    for (const name of await readdir(this.#folder).catch(() => []))
      if (name.endsWith('.part')) await rm(join(this.#folder, name), { recursive: true, force: true });
  }

  /** Writes a checkpoint and then drops older ones, except the one before and the best. Throws a UserError; older ones stay then. */
  async save(
    progress: Progress,
    identity: RunIdentity,
    state: ReadonlyMap<string, Float32Array>,
    stored: readonly StoredTensor[],
  ): Promise<string> {
    const path = this.pathOf(progress.step);
    const part = `${path}.${process.pid}.part`;
    try {
      // The same step again, after an evaluation that a stop had cut short: the tensors are the same.
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
      await writeSafetensors(file, tensorsOf(kind, state, stored), { format: 'pt', step: String(progress.step) });
      return checksum(file);
    };
    const files: Files = { [fileNames.weights]: await written('weights'), [fileNames.state]: await written('state') };
    await writeFileAtomic(join(part, jsonName), sealed({ format, progress, identity, files }));
    await flushFolder(part);
    await rename(part, path);
    await flushFolder(this.#folder);
  }

  /** `last.safetensors` and `best.safetensors` as they belong to this progress. */
  async expose({ step, best }: Progress): Promise<void> {
    await this.#linkWeights(step, 'last.safetensors');
    if (best) await this.#linkWeights(best.step, 'best.safetensors');
    else await rm(join(this.dir, 'best.safetensors'), { force: true });
  }

  /**
   * The latest checkpoint that is whole, or of those before a step; damaged ones are set aside, each with a line.
   * Undefined when there is none.
   */
  async latest(report: (line: string) => void, before = Number.POSITIVE_INFINITY): Promise<Checkpoint | undefined> {
    for (const step of await this.steps()) {
      if (step >= before) continue;
      const path = this.pathOf(step);
      try {
        const { progress, identity } = await verified(path);
        return { path, progress, identity };
      } catch (error) {
        // A disk that fails, or a file that may not be read, says nothing of what is in it.
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

  /** The tensors of a checkpoint by state name. Throws a UserError where the file has others. */
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
      // Another name for the file where the file system can, else a copy.
      await link(from, temporary).catch(() => copyFile(from, temporary));
      await rename(temporary, to);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw fileError('write', to, error);
    } finally {
      // A rename between two names of one file does nothing.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async #prune(best: number | undefined): Promise<void> {
    const [, , ...old] = await this.steps();
    for (const step of old) {
      if (step === best) continue;
      // Renamed first: a folder that is half removed must not look like a checkpoint.
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

/** JSON whose last member is the checksum of what is before it. */
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
    held = JSON.parse(text);
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

/** Whether a file is not there, or is none; else the system could not read it this time. */
function isAbsence({ code }: FileError): boolean {
  return code === undefined || code === 'ENOENT' || code === 'ENOTDIR';
}

/** The checksums of a checkpoint that is there and whole. */
async function wholeFiles(path: string): Promise<Files | undefined> {
  return verified(path).then(
    ({ files }) => files,
    () => undefined,
  );
}
