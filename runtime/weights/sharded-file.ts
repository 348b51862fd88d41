import { dirname, join } from 'node:path';
import { isObject } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { quoted } from '../files/shown.ts';
import { UserError } from '../files/user-error.ts';
import { type FileRemark, type FileTensor, TensorFile } from './tensor-file.ts';

/** Maximum number of files of one model, which are open at the same time. */
const mostShards = 256;

/**
 * A model in several files beside an index, as Hugging Face's libraries write it: `model.safetensors.index.json` or
 * `pytorch_model.bin.index.json`.
 */
export class ShardedFile extends TensorFile {
  readonly path: string;
  readonly format: string;
  readonly tensors: ReadonlyMap<string, FileTensor>;
  readonly remarks: readonly FileRemark[];
  readonly #owners: ReadonlyMap<string, TensorFile>;
  readonly #shards: readonly TensorFile[];

  private constructor(path: string, shards: readonly TensorFile[], owners: ReadonlyMap<string, TensorFile>) {
    super();
    this.path = path;
    this.format = `${[...new Set(shards.map(({ format }) => format))].join(' and ')} in ${shards.length} files`;
    this.tensors = new Map([...owners].map(([name, shard]) => [name, shard.tensors.get(name)!]));
    this.remarks = shards[0]?.remarks ?? [];
    this.#owners = owners;
    this.#shards = shards;
  }

  /** `open` opens one of the files. */
  static async open(path: string, text: string, open: (path: string) => Promise<TensorFile>): Promise<ShardedFile> {
    const map = weightMap(text);
    const shards = new Map<string, TensorFile>();
    try {
      for (const file of new Set(map.values())) shards.set(file, await open(join(dirname(path), file)));
      for (const [name, file] of map)
        if (!shards.get(file)!.tensors.has(name))
          throw new UserError(`${quoted(file)} lacks the tensor ${quoted(name)}`);
      for (const [file, { tensors }] of shards)
        for (const name of tensors.keys())
          if (map.get(name) !== file) throw new UserError(`the index does not have ${quoted(name)} of ${quoted(file)}`);
      const owners = new Map([...map].map(([name, file]) => [name, shards.get(file)!]));
      return new ShardedFile(path, [...shards.values()], owners);
    } catch (error) {
      for (const shard of shards.values()) await shard.close();
      throw error;
    }
  }

  async bytes(name: string): Promise<Uint8Array<ArrayBuffer>> {
    const shard = this.#owners.get(name);
    if (shard === undefined) throw new UserError(`${this.path} has no tensor ${name}`);
    return shard.bytes(name);
  }

  async close(): Promise<void> {
    for (const shard of this.#shards) await shard.close();
  }
}

/** Returns the files that an index names, in its folder. */
export function shardsOf(text: string): readonly string[] {
  return [...new Set(weightMap(text).values())];
}

function weightMap(text: string): ReadonlyMap<string, string> {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    throw new UserError('it is neither a file of tensors nor the index of one: not JSON');
  }
  const map = isObject(json) ? json.weight_map : undefined;
  if (!isObject(map)) throw new UserError('it is JSON without the weight_map of an index');
  const found = new Map<string, string>();
  for (const [name, file] of Object.entries(map)) {
    if (typeof file !== 'string' || !/^[\w.-]{1,255}$/.test(file) || /^\.+$/.test(file) || file.endsWith('.json'))
      throw new UserError(`the file of ${quoted(name)} is not the name of a file beside the index`);
    found.set(name, file);
  }
  if (found.size === 0) throw new UserError('its weight_map is empty');
  const files = new Set(found.values()).size;
  if (files > mostShards) throw new UserError(`it names ${files} files, and crobc reads ${mostShards} at most`);
  return found;
}
