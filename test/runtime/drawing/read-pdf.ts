import { inflateSync } from 'node:zlib';

/** What a reader finds in a PDF of one page, by the structure of the file alone. */
export interface ReadPdf {
  readonly size: readonly number[];
  readonly info: Readonly<Record<string, string>>;
  readonly content: string;
  readonly fonts: readonly { readonly name: string; readonly file: Buffer }[];
  /** The texts, as a reader copies them: by the maps from glyphs to characters that the fonts have. */
  readonly texts: readonly string[];
}

interface Item {
  readonly head: string;
  readonly stream: Buffer | undefined;
}

export function readPdf(bytes: Buffer): ReadPdf {
  const whole = bytes.toString('latin1');
  const items = new Map<string, Item>();
  // By the table at the end, as a reader does, which checks its offsets.
  const table = Number(/startxref\s+(\d+)\s+%%EOF\s*$/.exec(whole)?.[1]);
  const rows = [...whole.slice(table, whole.indexOf('trailer', table)).matchAll(/^(\d{10}) 00000 n/gm)];
  for (const [i, [, offset]] of rows.entries()) {
    const start = Number(offset);
    if (!whole.startsWith(`${i + 1} 0 obj`, start)) throw new Error(`no object ${i + 1} at ${offset}`);
    const body = whole.slice(start, whole.indexOf('endobj', start));
    const at = body.indexOf('stream\n');
    const head = at < 0 ? body : body.slice(0, at);
    const length = Number(/\/Length (\d+)/.exec(head)?.[1]);
    const raw = at < 0 ? undefined : bytes.subarray(start + at + 7, start + at + 7 + length);
    items.set(String(i + 1), { head, stream: raw && (head.includes('/FlateDecode') ? inflateSync(raw) : raw) });
  }
  const item = (number: string | undefined): Item => {
    const found = items.get(number ?? '');
    if (!found) throw new Error(`no object ${number}`);
    return found;
  };
  const reference = (head: string, key: string) => new RegExp(`/${key} \\[?(\\d+) 0 R`).exec(head)?.[1];
  const having = (part: RegExp) => [...items.values()].filter(({ head }) => part.test(head));
  const pages = having(/\/Type \/Page\b(?!s)/);
  if (pages.length !== 1) throw new Error(`${pages.length} pages`);
  const page = pages[0]!.head;
  const content = item(reference(page, 'Contents')).stream!.toString('latin1');
  const resources = item(reference(page, 'Resources')).head;
  const names = new Map([...resources.matchAll(/\/(F\d+) (\d+) 0 R/g)].map(([, name, number]) => [name!, number!]));
  const maps = new Map(
    [...names].map(([name, number]) => [name, unicodes(item(reference(item(number).head, 'ToUnicode')).stream!)]),
  );
  const texts: string[] = [];
  let map: readonly string[] = [];
  for (const [, font, shown] of content.matchAll(/\/(F\d+) [\d.]+ Tf|\[((?:<[0-9a-f]*>|[-\d.\s])*)\] TJ/g)) {
    if (font !== undefined) map = maps.get(font) ?? [];
    else
      texts.push(
        [...shown!.matchAll(/<([0-9a-f]*)>/g)]
          .flatMap(([, hex]) => hex!.match(/.{4}/g) ?? [])
          .map((glyph) => map[Number.parseInt(glyph, 16)])
          .join(''),
      );
  }
  return {
    size: /\/MediaBox \[([^\]]*)\]/.exec(page)![1]!.trim().split(' ').map(Number),
    info: Object.fromEntries(
      [...item(reference(whole.slice(whole.lastIndexOf('trailer')), 'Info')).head.matchAll(/\/(\w+) (\d+) 0 R/g)].map(
        ([, key, number]) => [key!, /\((.*)\)/.exec(item(number).head)?.[1] ?? ''],
      ),
    ),
    content,
    fonts: having(/\/Type \/FontDescriptor/).map(({ head }) => ({
      name: /\/FontName \/(\S+)/.exec(head)![1]!,
      file: item(reference(head, 'FontFile2')).stream!,
    })),
    texts,
  };
}

/** Reads a map from glyphs to characters: ranges from 0, with a list each. */
function unicodes(stream: Buffer): string[] {
  const found: string[] = [];
  const ranges = stream.toString('latin1').matchAll(/<([0-9a-f]{4})> <[0-9a-f]{4}> \[([^\]]*)\]/g);
  for (const [, first, list] of ranges)
    for (const [i, [, hex]] of [...list!.matchAll(/<([0-9a-f ]*)>/g)].entries())
      found[Number.parseInt(first!, 16) + i] = Buffer.from(hex!.replaceAll(' ', ''), 'hex')
        .swap16()
        .toString('utf16le');
  return found;
}
