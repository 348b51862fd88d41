import type { SourceHost } from '../compiler/compile.ts';
import { diskHost } from '../runtime/files/source-host.ts';

/** Where sources are read from. */
export interface SourceOptions {
  /**
   * Texts by path, such as unsaved texts of an editor. A text is used instead of the file of that path, whether the file exists
   * or not; all other files are read from the disk.
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
