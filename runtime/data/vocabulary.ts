import { UserError } from '../files/user-error.ts';

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** No phrase about an aerial image in Latin letters becomes [UNK], whether or not the data have its letters. */
const always = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const punctuation = [...`!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`];

/** Characters beyond these, by how often they come, are [UNK]. */
const MAX_CHARACTERS = 1000;
/** A longer word is one [UNK] to a BERT tokenizer. */
const MAX_WORD = 100;
/** Pairs that come less often are left apart: a piece of one word that comes once is of no use to another. */
const MIN_FREQUENCY = 2;

const ofPunctuation = /[!-/:-@[-`{-~\p{P}]/u;
/** The ranges that BERT's BasicTokenizer calls Chinese characters: each is a word. */
const ofCjk = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

/** The words of a phrase as an uncased BERT tokenizer splits them before it looks for pieces. */
export function basicWords(phrase: string): string[] {
  let text = '';
  for (const c of phrase.toLowerCase().normalize('NFD')) {
    if (/\s/.test(c)) text += ' ';
    else if (/[\p{Mn}\p{C}]/u.test(c)) continue;
    else text += ofPunctuation.test(c) || ofCjk.test(c) ? ` ${c} ` : c;
  }
  return text.split(' ').filter((word) => word !== '');
}

/** A word as its pieces, and how often it comes. */
interface Word {
  pieces: string[];
  readonly count: number;
}

/**
 * A WordPiece vocabulary of at most `size` pieces: BERT's special tokens ([PAD] is 0), every character, alone and as a
 * continuation (`##a`), and what the most frequent pair of neighbouring pieces makes, again and again, as Hugging Face's
 * WordPieceTrainer does. Of pairs that come as often, the first in code-unit order goes first, so that the same phrases
 * in any order give the same vocabulary. Throws a UserError where `size` is too small for the characters.
 */
export function trainVocabulary(phrases: Iterable<string>, size: number): string[] {
  const counts = new Map<string, number>();
  for (const phrase of phrases) for (const word of basicWords(phrase)) counts.set(word, (counts.get(word) ?? 0) + 1);
  const vocabulary = [...specials, ...characters(counts)];
  if (vocabulary.length > size) {
    throw new UserError(
      `a vocabulary of ${size} pieces is too small: its ${vocabulary.length - specials.length} characters and ${specials.length} special tokens take ${vocabulary.length}`,
    );
  }
  const held = new Set(vocabulary);
  const words: Word[] = [];
  for (const [word, count] of counts) {
    const letters = [...word];
    if (letters.length > MAX_WORD) continue;
    words.push({ pieces: letters.map((c, i) => (i === 0 ? c : `##${c}`)), count });
  }
  const pairs = new PairCounts(words, held);
  while (vocabulary.length < size) {
    const best = pairs.best();
    if (best === undefined || best.count < MIN_FREQUENCY) break;
    const merged = best.left + best.right.slice(2);
    // Two ways may lead to one piece: ab + c and a + bc.
    if (!held.has(merged)) vocabulary.push(merged);
    held.add(merged);
    pairs.merge(best, merged);
  }
  return vocabulary;
}

/** Single characters as first pieces and as continuations, sorted. */
function characters(counts: ReadonlyMap<string, number>): string[] {
  const frequency = new Map<string, number>();
  for (const [word, count] of counts) for (const c of word) frequency.set(c, (frequency.get(c) ?? 0) + count);
  const kept = new Set([...always, ...punctuation]);
  const others = [...frequency].filter(([c]) => !kept.has(c));
  others.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const added = others.slice(0, MAX_CHARACTERS).map(([c]) => c);
  // Punctuation and CJK characters are words of their own and continue none.
  const continuing = [...always, ...added.filter((c) => !ofPunctuation.test(c) && !ofCjk.test(c))];
  return [...[...kept, ...added].sort(), ...continuing.map((c) => `##${c}`).sort()];
}

interface Pair {
  readonly left: string;
  readonly right: string;
  count: number;
  /** Words that have or had it. */
  readonly words: Set<Word>;
}

/** How often each pair of neighbouring pieces comes, kept up to date while pieces are merged. */
class PairCounts {
  readonly #pairs = new Map<string, Pair>();
  readonly #known: ReadonlySet<string>;

  constructor(words: readonly Word[], known: ReadonlySet<string>) {
    this.#known = known;
    for (const word of words) this.#count(word, 1);
  }

  best(): Pair | undefined {
    let best: Pair | undefined;
    for (const pair of this.#pairs.values()) {
      if (best === undefined || pair.count > best.count || (pair.count === best.count && before(pair, best)))
        best = pair;
    }
    return best;
  }

  merge({ left, right, words }: Pair, merged: string): void {
    for (const word of [...words]) {
      this.#count(word, -1);
      const pieces: string[] = [];
      for (let i = 0; i < word.pieces.length; i++) {
        const both = word.pieces[i] === left && word.pieces[i + 1] === right;
        pieces.push(both ? merged : word.pieces[i]!);
        if (both) i++;
      }
      word.pieces = pieces;
      this.#count(word, 1);
    }
  }

  #count(word: Word, sign: 1 | -1): void {
    for (let i = 0; i + 1 < word.pieces.length; i++) {
      const [left, right] = [word.pieces[i]!, word.pieces[i + 1]!];
      // A character too rare for the vocabulary keeps its word [UNK], so it makes no piece either.
      if (!this.#known.has(left) || !this.#known.has(right)) continue;
      const key = `${left} ${right}`;
      let pair = this.#pairs.get(key);
      if (!pair) {
        pair = { left, right, count: 0, words: new Set() };
        this.#pairs.set(key, pair);
      }
      pair.count += sign * word.count;
      if (sign === 1) pair.words.add(word);
      if (pair.count === 0) this.#pairs.delete(key);
    }
  }
}

function before(a: Pair, b: Pair): boolean {
  return a.left < b.left || (a.left === b.left && a.right < b.right);
}
