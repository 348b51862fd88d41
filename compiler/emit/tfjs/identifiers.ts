/** Names that a function of the generated program may not use for its variables. */
const taken = [
  ...[
    'tf',
    'tfjs',
    'state',
    'feeds',
    'constants',
    'take',
    'given',
    'replace',
    'products',
    'rowNumbers',
    'decoded',
    'atob',
    'undefined',
  ],
  // Reserved words, including those of strict mode.
  ...'arguments await break case catch class const continue debugger default delete do else enum eval export extends'.split(
    ' ',
  ),
  ...'false finally for function if implements import in instanceof interface let new null package private'.split(' '),
  ...'protected public return static super switch this throw true try typeof var void while with yield'.split(' '),
  ...'NaN Infinity Map Error RangeError Uint8Array Float32Array Int32Array'.split(' '),
];

/** Returns unique identifiers that are close to the requested names. */
export class Identifiers {
  readonly #taken: Set<string>;
  readonly #next = new Map<string, number>();

  constructor(reserved: readonly string[]) {
    this.#taken = new Set([...taken, ...reserved]);
  }

  /** Turns `backbone.norm.weight` into `backbone_norm_weight`, or into `backbone_norm_weight2` if that is taken. */
  unique(wanted: string): string {
    const word = wanted.replace(/[^\w$]+/g, '_').replace(/^_+|_+$/g, '');
    const base = /^[A-Za-z_$]/.test(word) ? word : `_${word}`;
    let name = base;
    for (let n = this.#next.get(base) ?? 2; this.#taken.has(name); n++) {
      name = `${base}${/\d$/.test(base) ? '_' : ''}${n}`;
      this.#next.set(base, n + 1);
    }
    this.#taken.add(name);
    return name;
  }
}
