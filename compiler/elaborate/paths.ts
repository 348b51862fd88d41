/** Where a part stands in checkpoints, below its owner: `backbone.layers.0`. */
export function childPath(path: string, name: string): string {
  if (name === '') return path;
  return path === '' ? name : `${path}.${name}`;
}
