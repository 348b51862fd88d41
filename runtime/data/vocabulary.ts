import { UserError } from '../files/user-error.ts';

const specials = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];

/** Characters that are always in the vocabulary, so that no phrase in plain Latin letters becomes [UNK]. */
const always = [...'abcdefghijklmnopqrstuvwxyz0123456789'];
const punctuation = [...`!"#$%&'()*+,-./:;<=>?@[\\]^_\`{|}~`];

/** Maximum number of characters; the rarest ones beyond it become [UNK]. */
const MAX_CHARACTERS = 1000;
/** Maximum length of a word; BERT tokenizers turn a longer one into a single [UNK]. */
const MAX_WORD = 100;
/**
 * Minimum number of occurrences of a pair to be merged: a piece that occurs once
 * in one word is of no use to other words.
 */
const MIN_FREQUENCY = 2;

const ofPunctuation = /[!-/:-@[-`{-~\p{P}]/u;
/** The ranges that BERT's BasicTokenizer calls Chinese characters: each character is a word. */
const ofCjk = /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/u;

/** Splits a phrase into words as an uncased BERT tokenizer does before it looks for pieces. */
export function basicWords(phrase: string): string[] {
  let text = '';
  for (const c of phrase.toLowerCase().normalize('NFD')) {
    if (/\s/.test(c)) text += ' ';
    else if (/[\p{Mn}\p{C}]/u.test(c)) continue;
    else text += ofPunctuation.test(c) || ofCjk.test(c) ? ` ${c} ` : c;
  }
  return text.split(' ').filter((word) => word !== '');
}

/** A word as its pieces, with its number of occurrences. */
interface Word {
  pieces: string[];
  readonly count: number;
}

/**
 * Trains a WordPiece vocabulary of at most `size` pieces: BERT's special tokens ([PAD] is 0), every character, alone
 * and as a continuation (`##a`), and then repeatedly the merge of the most frequent pair of adjacent pieces, as Hugging
 * Face's WordPieceTrainer does. Ties are broken by code-unit order, so that the order of the phrases does not change
 * the vocabulary. Throws a UserError if `size` is too small for the characters.
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
    // Two merges may give the same piece: ab + c and a + bc.
    if (!held.has(merged)) vocabulary.push(merged);
    held.add(merged);
    pairs.merge(best, merged);
  }
  return vocabulary;
}

/** Returns single characters as first pieces and as continuations, sorted. */
function characters(counts: ReadonlyMap<string, number>): string[] {
  const frequency = new Map<string, number>();
  for (const [word, count] of counts) for (const c of word) frequency.set(c, (frequency.get(c) ?? 0) + count);
  const kept = new Set([...always, ...punctuation]);
  const others = [...frequency].filter(([c]) => !kept.has(c));
  others.sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1));
  const added = others.slice(0, MAX_CHARACTERS).map(([c]) => c);
  // Punctuation and CJK characters are words of their own and never continue one.
  const continuing = [...always, ...added.filter((c) => !ofPunctuation.test(c) && !ofCjk.test(c))];
  return [...[...kept, ...added].sort(), ...continuing.map((c) => `##${c}`).sort()];
}

interface Pair {
  readonly left: string;
  readonly right: string;
  count: number;
  /** Words that contain the pair, or did before a merge. */
  readonly words: Set<Word>;
}

/** The number of occurrences of each pair of adjacent pieces, updated by every merge. */
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
      // A word with a character that is not in the vocabulary becomes [UNK], so
      // its pairs with that character do not count.
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
