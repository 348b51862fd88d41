/** Returns unique names. Counters continue from the last number used, so equal graphs get equal names. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  /** Returns `wanted`, or the first free one of `wanted_1`, `wanted_2`, … */
  unique(wanted: string): string {
    let name = wanted;
    for (let n = this.#next.get(wanted) ?? 1; this.#taken.has(name); n++) {
      name = `${wanted}_${n}`;
      this.#next.set(wanted, n + 1);
    }
    this.#taken.add(name);
    return name;
  }
}

/**
 * Returns a module path as a folder for viewers: `backbone.layers.0.attn` becomes `backbone/layers.0/attn/`; an index
 * stays with its list.
 */
export function folder(path: string): string {
  if (path === '') return '';
  return `${path.replace(/\.(?!\d+(?:\.|$))/g, '/')}/`;
}
