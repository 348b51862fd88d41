/** A fenced code block: ` ```crob wrong seg.crob ` has the language `crob` and the words `wrong` and `seg.crob`. */
export interface Block {
  readonly language: string;
  readonly words: readonly string[];
  readonly text: string;
  /** One-based line of the opening fence. */
  readonly line: number;
}

/** Prose and blocks in turn; joined again they are the page. */
export type Part =
  | { readonly kind: 'prose'; readonly text: string }
  | { readonly kind: 'block'; readonly block: Block };

export function parts(page: string): Part[] {
  const found: Part[] = [];
  const lines = page.split('\n');
  let prose: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\S.*)$/.exec(lines[i]!);
    if (!fence) {
      prose.push(lines[i]!);
      continue;
    }
    const end = lines.indexOf('```', i + 1);
    if (end < 0) throw new Error(`line ${i + 1}: this block is never closed`);
    found.push({ kind: 'prose', text: prose.join('\n') });
    const [language = '', ...words] = fence[1]!.trim().split(/\s+/);
    const text = lines.slice(i + 1, end).join('\n');
    found.push({ kind: 'block', block: { language, words, text, line: i + 1 } });
    prose = [];
    i = end;
  }
  found.push({ kind: 'prose', text: prose.join('\n') });
  return found;
}

export function joined(all: readonly Part[]): string {
  return all
    .map((part) => {
      if (part.kind === 'prose') return part.text;
      const { language, words, text } = part.block;
      return `\`\`\`${[language, ...words].join(' ')}\n${text === '' ? '' : `${text}\n`}\`\`\``;
    })
    .join('\n');
}
