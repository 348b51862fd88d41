import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../files/atomic-file.ts';
import { fileError } from '../../files/file-error.ts';
import { isCount, isNumber, isText, objectOf } from '../../files/json.ts';
import { makeFolder } from '../../files/make-folder.ts';
import { parseJson } from '../../files/parse-json.ts';
import { readBytes, readText } from '../../files/read-file.ts';
import { UserError } from '../../files/user-error.ts';
import { isMaskRecord, type MaskRecord } from '../../images/tiff/mask-writer.ts';

/** What has been predicted of a scene, after a whole row of tiles. */
export interface SceneState {
  /** Number of rows of tiles. */
  readonly rows: number;
  readonly mask: MaskRecord;
  readonly totals: SceneTotals;
  /** Logits that are not complete yet, and rows of the mask that are not in its file yet. */
  readonly logits: Float32Array;
  readonly pending: Uint8Array;
}

/** Sums over the pixels of the mask so far. */
export interface SceneTotals {
  readonly area: number;
  /** Sum of the probabilities. */
  readonly probability: number;
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const isTotals = objectOf({
  area: isCount,
  probability: isNumber,
  left: isCount,
  top: isCount,
  right: isCount,
  bottom: isCount,
});
const isRecord = objectOf({
  version: isCount,
  key: isText,
  rows: isCount,
  mask: isMaskRecord,
  totals: isTotals,
  file: isText,
  logits: isCount,
});
const version = 1;

/**
 * The folder with an unfinished prediction of a scene. It is written after each row of tiles, so that a killed run loses
 * no more than one.
 */
export class PartialScene {
  readonly folder: string;
  readonly #key: string;

  private constructor(folder: string, key: string) {
    this.folder = folder;
    this.#key = key;
  }

  get maskPath(): string {
    return join(this.folder, 'mask.tif');
  }

  /**
   * Opens the folder. `key` stands for everything that the result depends on. Throws a UserError if there is an
   * unfinished prediction and `resume` is false, or if it is one of something else.
   */
  static async open(
    folder: string,
    key: string,
    resume: boolean,
  ): Promise<{ readonly partial: PartialScene; readonly state: SceneState | undefined }> {
    const partial = new PartialScene(folder, key);
    const state = await partial.#read(resume);
    if (state === undefined) {
      // What was killed before its first row has nothing to continue.
      await partial.remove();
      await makeFolder(folder);
    }
    return { partial, state };
  }

  async write(state: SceneState): Promise<void> {
    const { rows, mask, totals, logits, pending } = state;
    const file = `rows-${rows}.bin`;
    const bytes = Buffer.concat([bytesOf(logits), pending]);
    await writeFileAtomic(join(this.folder, file), bytes);
    const record = { version, key: this.#key, rows, mask, totals, file, logits: logits.length };
    await writeFileAtomic(join(this.folder, 'state.json'), `${JSON.stringify(record)}\n`);
    for (const name of await readdir(this.folder))
      if (/^rows-\d+\.bin$/.test(name) && name !== file) await rm(join(this.folder, name), { force: true });
  }

  async remove(): Promise<void> {
    try {
      await rm(this.folder, { recursive: true, force: true });
    } catch (error) {
      throw fileError('write', this.folder, error);
    }
  }

  async #read(resume: boolean): Promise<SceneState | undefined> {
    const path = join(this.folder, 'state.json');
    let json: unknown;
    try {
      json = parseJson(await readText(path, 'record'));
    } catch {
      return undefined;
    }
    if (!isRecord(json) || json.version !== version)
      throw new UserError(`${this.folder} was not written by this version of crobc: remove it to begin anew`);
    if (!resume)
      throw new UserError(
        `${this.folder} has an unfinished prediction of this scene: --resume continues it; remove the folder to begin anew`,
      );
    if (json.key !== this.#key)
      throw new UserError(
        `${this.folder} has an unfinished prediction with another image, phrase, model, weights or options: give the same ones to continue it, or remove the folder`,
      );
    const { rows, mask, totals, file, logits } = json;
    const bytes = await readBytes(join(this.folder, file), 'bytes');
    if (bytes.length < 4 * logits) throw new UserError(`${join(this.folder, file)} is damaged: remove ${this.folder}`);
    const aligned = Uint8Array.prototype.slice.call(bytes);
    return {
      rows,
      mask,
      totals,
      logits: new Float32Array(aligned.buffer, 0, logits),
      pending: aligned.subarray(4 * logits),
    };
  }
}

function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
