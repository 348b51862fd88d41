// long: thousands of mistakes

import { describe, expect, test } from 'vitest';
import { parse } from '../../grammar/parse.ts';
import { position } from '../../grammar/span.ts';
import type { SourceFile } from '../../grammar/tree.ts';
import { drawnSeed } from '../seed.ts';
import { type MistakeKind, mistake, mistakeKinds } from './mistakes.ts';
import { sources } from './sources.ts';

/** How many mistakes of a kind are made in each file. */
const perFile = 3;

/** Some texts read otherwise with one sign less; the library grows, and a new line may be one of those. */
const rare = 0.02;

const original = new Map(sources.map(([file, text]) => [file, declarations(parse(file, text).tree)]));

/** Each `use` and declaration as text, without places. */
function declarations({ uses, declarations: rest }: SourceFile): string[] {
  return [...uses, ...rest].map((one) => JSON.stringify(one, (key, value) => (key === 'span' ? undefined : value)));
}

/** The same mistakes every time: every kind in every file, spread over it. */
function* mistakesOf(kind: MistakeKind) {
  for (const [file, text] of sources)
    for (let i = 0; i < perFile; i++) {
      const made = mistake(text, kind, drawnSeed(i * 7919 + file.length * 104_729));
      // Some leave the file right: a sign that was doubled, a word that became another name.
      if (made && parse(file, made.text).faults.length > 0) yield { file, made };
    }
}

describe('of one mistake there is one message, where it is, and the other declarations are as before', () => {
  test.each(mistakeKinds)('%s', (kind) => {
    let count = 0;
    const wrong: string[] = [];
    for (const { file, made } of mistakesOf(kind)) {
      const { tree, faults } = parse(file, made.text);
      const kept = new Set(declarations(tree));
      const lost = original.get(file)!.filter((one) => !kept.has(one)).length;
      const lines = faults.map(({ span }) => position(made.text, span.start).line);
      count++;
      if (lost <= 1 && lines.length === 1 && made.lines.has(lines[0]!)) continue;
      const said = faults.map(({ code }, i) => `${lines[i]} ${code}`).join(', ');
      wrong.push(`${file}:${[...made.lines].join('|')} ${made.shown.trim()} → ${said}, ${lost} lost`);
    }
    expect(count).toBeGreaterThan(90);
    expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(count * rare);
  });
});

test('mistakes in several declarations of a file are all reported in one run', () => {
  let count = 0;
  const wrong: string[] = [];
  for (const [file, text] of sources) {
    const spans = parse(file, text).tree.declarations.map(({ span }) => span);
    for (let round = 0; round < 6; round++) {
      /** Declarations, and each with a mistake in it that gives one message when it is alone. */
      const pieces = spans.map(({ start, end }, i) => {
        const own = text.slice(start, end);
        const made =
          i % 2 === round % 2
            ? mistake(own, mistakeKinds[(i + round) % mistakeKinds.length]!, drawnSeed(i * 31 + round))
            : undefined;
        const faults = made ? parse(file, text.slice(0, start) + made.text + text.slice(end)).faults : [];
        return made && faults.length === 1 ? { text: made.text, codes: [faults[0]!.code] } : { text: own, codes: [] };
      });
      let changed = '';
      let end = 0;
      spans.forEach((span, i) => {
        changed += text.slice(end, span.start) + pieces[i]!.text;
        end = span.end;
      });
      changed += text.slice(end);
      const expected = pieces.flatMap(({ codes }) => codes);
      const found = parse(file, changed).faults.map(({ code }) => code);
      count += expected.length;
      if (found.join() !== expected.join()) wrong.push(`${file} ${round}: ${expected.join()} → ${found.join()}`);
    }
  }
  expect(count).toBeGreaterThan(300);
  expect(wrong.length, wrong.join('\n')).toBeLessThanOrEqual(count * rare);
});

test('how the lines of a right file are indented means nothing', () => {
  for (const [file, text] of sources)
    for (let round = 0; round < 8; round++) {
      const lines = text.split('\n').map((line, i) => ' '.repeat(((i + 3) * (round + 7) * 31) % 9) + line.trimStart());
      const faults = parse(file, lines.join('\n')).faults.map(({ code, span }) => `${file}:${span.start} ${code}`);
      expect(faults).toEqual([]);
    }
});
