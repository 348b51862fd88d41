/** Returns the path of a part in checkpoints, below its owner: `backbone.layers.0`. */
export function childPath(path: string, name: string): string {
  if (name === '') return path;
  return path === '' ? name : `${path}.${name}`;
}

/** The paths of a module. */
export interface Place {
  /** In checkpoints: `backbone.layers.0.downsample`. */
  readonly path: string;
  /** In the source and in overrides: `backbone.merges[0]`. */
  readonly source: string;
}

export function childSource(source: string, name: string): string {
  return source === '' ? name : `${source}.${name}`;
}

export function itemPlace({ path, source }: Place, i: number): Place {
  return { path: childPath(path, String(i)), source: `${source}[${i}]` };
}

/** Whether `path` is `root` or below it; everything is below the root ''. */
export function isWithin(path: string, root: string): boolean {
  return root === '' || path === root || path.startsWith(`${root}.`);
}
