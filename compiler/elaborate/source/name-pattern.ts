/**
 * A piece of a name pattern: literal text, text that may be missing, a hole for one name between dots or for several, or
 * alternatives.
 */
type Piece =
  | { readonly text: string }
  | { readonly optional: string }
  | { readonly hole: string; readonly several: boolean }
  | { readonly choices: readonly string[] };

/** A pattern such as `{?bert.}layer.{i}.{query,key}.{...rest}`, split into pieces. */
export interface NamePattern {
  readonly text: string;
  readonly pieces: readonly Piece[];
}

/**
 * The names that matched the holes of a pattern, the index chosen from each list of alternatives, and which optional texts
 * are there.
 */
export interface Match {
  readonly holes: ReadonlyMap<string, string>;
  readonly choices: readonly number[];
  readonly options: readonly boolean[];
}

/** Parses a name pattern; returns the reason if it is invalid. */
export function namePattern(text: string): NamePattern | { readonly reason: string } {
  const pieces: Piece[] = [];
  for (const [, plain, inside] of text.matchAll(/([^{}]+)|\{([^{}]*)\}|[{}]/g)) {
    if (plain !== undefined) pieces.push({ text: plain });
    else if (inside === undefined) return { reason: 'a brace is open' };
    else if (/^\w+$/.test(inside)) pieces.push({ hole: inside, several: false });
    else if (/^\.\.\.\w+$/.test(inside)) pieces.push({ hole: inside.slice(3), several: true });
    else if (/^\?[\w.]+$/.test(inside)) pieces.push({ optional: inside.slice(1) });
    else if (/^\w+(,\s*\w+)+$/.test(inside)) pieces.push({ choices: inside.split(/,\s*/) });
    else return { reason: `{${inside}} is neither a name nor a list of alternatives` };
  }
  return { text, pieces };
}

export function holesOf({ pieces }: NamePattern): ReadonlySet<string> {
  return new Set(pieces.flatMap((piece) => ('hole' in piece ? [piece.hole] : [])));
}

export function hasOptional({ pieces }: NamePattern): boolean {
  return pieces.some((piece) => 'optional' in piece);
}

/** Returns the lists of alternatives, in order. */
export function choicesOf({ pieces }: NamePattern): readonly (readonly string[])[] {
  return pieces.flatMap((piece) => ('choices' in piece ? [piece.choices] : []));
}

/** Returns a function that matches a name with the pattern. A hole that occurs twice must match the same text. */
export function matcher(pattern: NamePattern): (name: string) => Match | undefined {
  const seen = new Set<string>();
  let source = '';
  let lists = 0;
  let options = 0;
  for (const piece of pattern.pieces) {
    if ('text' in piece) source += escaped(piece.text);
    else if ('optional' in piece) source += `(?<option_${options++}>${escaped(piece.optional)})?`;
    else if ('choices' in piece) source += `(?<choice_${lists++}>${piece.choices.join('|')})`;
    else if (seen.has(piece.hole)) source += `\\k<hole_${piece.hole}>`;
    else {
      seen.add(piece.hole);
      source += `(?<hole_${piece.hole}>${piece.several ? '.+' : '[^.]+'})`;
    }
  }
  const expression = new RegExp(`^${source}$`);
  const alternatives = choicesOf(pattern);
  return (name) => {
    const groups = expression.exec(name);
    if (!groups) return undefined;
    return {
      holes: new Map([...seen].map((hole) => [hole, groups.groups![`hole_${hole}`]!])),
      choices: alternatives.map((texts, i) => texts.indexOf(groups.groups![`choice_${i}`]!)),
      options: Array.from({ length: options }, (_, i) => groups.groups![`option_${i}`] !== undefined),
    };
  };
}

/** Returns the name for a pattern with given holes, alternatives and optional texts. */
export function filled({ pieces }: NamePattern, { holes, choices, options }: Match): string {
  let lists = 0;
  let texts = 0;
  return pieces
    .map((piece) => {
      if ('text' in piece) return piece.text;
      if ('optional' in piece) return options[texts++] ? piece.optional : '';
      return 'hole' in piece ? holes.get(piece.hole)! : piece.choices[choices[lists++]!]!;
    })
    .join('');
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
