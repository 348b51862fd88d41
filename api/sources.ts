import type { SourceHost } from '../compiler/compile.ts';
import { diskHost } from '../runtime/files/source-host.ts';

/** Where sources are read. */
export interface SourceOptions {
  /**
   * Texts by path, such as those of an editor that are not saved yet. They take the place of files of that path, whether there
   * are such files or not; everything else is read from the disk.
   */
  readonly texts?: Readonly<Record<string, string>>;
}

/** @internal */
export function sourceHost({ texts = {} }: SourceOptions): SourceHost {
  const disk = diskHost();
  return {
    ...disk,
    read: (path) => (Object.hasOwn(texts, path) ? texts[path] : disk.read(path)),
    resolve(from, path) {
      const folder = from.slice(0, from.lastIndexOf('/') + 1);
      const beside = `${folder}${path.join('/')}.crob`;
      return Object.hasOwn(texts, beside) ? beside : disk.resolve(from, path);
    },
  };
}
