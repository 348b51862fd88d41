/** Gives out names that are used once. Counters go on from the last one, so equal graphs get equal names. */
export class Names {
  readonly #taken = new Set<string>();
  readonly #next = new Map<string, number>();

  /** `wanted`, or `wanted_1`, `wanted_2`, … */
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

/** `backbone.layers.0.attn` as a viewer's folder: `backbone/layers.0/attn/`; a list's index stays with the list. */
export function folder(path: string): string {
  if (path === '') return '';
  return `${path.replace(/\.(?!\d+(?:\.|$))/g, '/')}/`;
}
