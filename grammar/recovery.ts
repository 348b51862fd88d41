import type { IRecognitionException, IToken } from 'chevrotain';
import { EOF, tokenMatcher } from 'chevrotain';
import { type FaultSink, offsetOf, span } from './faults.ts';
import { foreignNames, foreignWords } from './foreign.ts';
import { foreignForm } from './foreign-forms.ts';
import { type Around, adjacent, isA, type Mistake } from './mistake.ts';
import type { Span } from './span.ts';
import {
  Caret,
  Colon,
  Comma,
  DotDot,
  declarationWords,
  describe,
  Equal,
  EqualEqual,
  Fn,
  For,
  Greater,
  Identifier,
  If,
  Interface,
  Let,
  Minus,
  Module,
  memberWords,
  Percent,
  Plus,
  Return,
  RParen,
  reservedWords,
  Separator,
  Slash,
} from './tokens.ts';

interface Guess {
  readonly code: string;
  /** Returns the arguments of the message if the guess fits. */
  readonly fits: (mistake: Mistake) => Readonly<Record<string, string>> | undefined;
  /** The token to report, if not the unexpected one. */
  readonly at?: (mistake: Mistake) => IToken;
}

/** What follows the name of a member: if an error is there, the name itself was correct. */
const behindName: Readonly<Record<string, string>> = {
  moduleMember: '`=` or `(`',
  modelMember: '`=`, `.` or `[`',
  recipeMember: '`=`',
};

const foreign = (token: IToken) => (token.tokenType === EOF ? undefined : foreignWords.get(token.image));
/** The foreign keyword of a mistake. In `lambda x`, `lambda` was parsed as a name, so the last token is checked too. */
const foreignAmong = (first: IToken, last: IToken, found: IToken) =>
  [found, ...(last === first || isA(found, Identifier) ? [last] : [])].find((token) => foreign(token));

/** Guesses of what was meant, most likely first. The first one that fits gives the message. */
const guesses: readonly Guess[] = [
  {
    code: 'CROB1013',
    fits: ({ last, found }) =>
      isA(last, Equal) && isA(found, Greater) && adjacent(last, found) ? { found: '=>', counterpart: '->' } : undefined,
    at: ({ last }) => last,
  },
  {
    code: 'CROB1013',
    fits: ({ last, found }) =>
      isA(last, Slash, Caret, Percent) && isA(found, Equal) && adjacent(last, found)
        ? { found: `${last.image}=`, counterpart: `a = a ${last.image} b` }
        : undefined,
    at: ({ last }) => last,
  },
  {
    code: 'CROB1013',
    fits: ({ last, found }) =>
      isA(last, Plus, Minus) && found.image === last.image && adjacent(last, found)
        ? { found: `${last.image}${last.image}`, counterpart: `a = a ${last.image} 1` }
        : undefined,
    at: ({ last }) => last,
  },
  {
    code: 'CROB1013',
    fits: ({ found, next }) =>
      isA(found, Colon) && isA(next, Equal) && adjacent(found, next) ? { found: ':=', counterpart: '=' } : undefined,
  },
  {
    code: 'CROB1032',
    fits: ({ first, last, found, next }) => {
      const word = foreignAmong(first, last, found);
      if (!word) return undefined;
      const following = word === found ? next : found;
      // For `def __init__(self)`, say that crob has no such method rather than how methods are written.
      const isInit = following.image === '__init__' ? foreignNames.get('__init__') : undefined;
      return { word: word.image, instead: isInit ?? foreign(word)! };
    },
    at: ({ first, last, found }) => foreignAmong(first, last, found) ?? found,
  },
  { code: 'CROB1052', fits: foreignForm },
  {
    code: 'CROB1050',
    fits: ({ first, last, found, next, rule }) =>
      rule === '' && first === last && isA(first, Identifier) && isA(found, Comma) && isA(next, Identifier)
        ? { names: `${first.image}, ${next.image}` }
        : undefined,
    at: ({ first }) => first,
  },
  {
    code: 'CROB1031',
    fits: ({ found, next, expected }) =>
      reservedWords.has(found.tokenType) && (expected === 'a name' || isA(next, Equal))
        ? { word: found.image }
        : undefined,
  },
  {
    code: 'CROB1025',
    fits: ({ last, found, expected }) =>
      isA(found, EqualEqual) && expected === '`=`' ? { name: last.image } : undefined,
  },
  {
    code: 'CROB1038',
    fits: ({ first, last, found, rule }) =>
      isA(first, Let) && isA(found, Colon) && rule !== '' ? { name: last.image } : undefined,
  },
  {
    code: 'CROB1032',
    fits: ({ rule, last, expected }) =>
      rule === 'parameter' && expected === '`:`' && last.image === 'self'
        ? { word: 'self', instead: foreignNames.get('self')! }
        : undefined,
    at: ({ last }) => last,
  },
  {
    code: 'CROB1037',
    fits: ({ rule, last, found, expected }) =>
      rule === 'parameter' && expected === '`:`' && isA(found, Comma, RParen, Equal) ? { name: last.image } : undefined,
    at: ({ last }) => last,
  },
  {
    code: 'CROB1033',
    fits: ({ found, expected, first, rule }) =>
      isA(found, Colon) && (expected === '`{`' || isA(first, If, For) || (rule === '' && isA(first, Identifier)))
        ? {}
        : undefined,
  },
  {
    code: 'CROB1039',
    fits: ({ found, expected }) => (isA(found, Colon) && (expected === '`=`' || expected === '`,`') ? {} : undefined),
  },
  {
    code: 'CROB1039',
    fits: ({ rule, found, next }) =>
      /^(model|recipe)Member$/.test(rule) && isA(found, Identifier) && isA(next, Colon) ? {} : undefined,
    at: ({ next }) => next,
  },
  {
    code: 'CROB1043',
    fits: ({ rule, found, next }) =>
      rule === 'moduleMember' && isA(found, Identifier) && isA(next, Colon) ? { name: found.image } : undefined,
  },
  {
    code: 'CROB1036',
    fits: ({ rule, found }) =>
      rule === 'moduleMember' && isA(found, Let, Return, If, For) ? { word: found.image } : undefined,
  },
  {
    code: 'CROB1034',
    fits: ({ rule, found }) =>
      /Member$|^statement$|^primary$/.test(rule) && isA(found, Fn, Module, Interface)
        ? { word: found.image }
        : undefined,
  },
  {
    code: 'CROB1044',
    fits: ({ rule, found }) =>
      rule === 'declaration' && (memberWords.has(found.tokenType) || isA(found, Let, Return, If, For, Identifier))
        ? { found: found.image }
        : undefined,
  },
  {
    code: 'CROB1040',
    fits: ({ found, expected }) =>
      isA(found, If) && (expected === '`,`' || expected === 'the end of the line') ? {} : undefined,
  },
  {
    code: 'CROB1041',
    fits: ({ found, expected, first }) =>
      expected === '`{`' && isA(found, Separator, EOF)
        ? { what: declarationWords.has(first.tokenType) ? `the ${first.image}` : 'this' }
        : undefined,
    at: ({ first }) => first,
  },
  {
    code: 'CROB1045',
    fits: ({ found, expected }) =>
      isA(found, DotDot) && (expected === '`,`' || expected === 'the end of the line') ? {} : undefined,
  },
  {
    code: 'CROB1046',
    fits: ({ rule, found }) =>
      rule === '' && (isA(found, Identifier, Let, Return, For) || memberWords.has(found.tokenType))
        ? { found: found.image }
        : undefined,
  },
  {
    code: 'CROB1001',
    fits: ({ rule, found, next }) => {
      const expected = behindName[rule];
      return expected && isA(found, Identifier) && next.image !== '' ? { found: called(next), expected } : undefined;
    },
    at: ({ next }) => next,
  },
  { code: 'CROB1001', fits: ({ found, expected }) => ({ found: called(found), expected }) },
];

/** Turns a chevrotain exception, whose `message` is what was expected, into a fault. */
export function explain(error: IRecognitionException, around: Around, file: string, faults: FaultSink): void {
  const rules = error.context.ruleStack;
  guess({ ...around, expected: error.message, rule: rules[rules.length - 1] ?? '' }, file, faults);
}

/** Reports text after a complete item on its line. */
export function explainRest(around: Around, file: string, faults: FaultSink): void {
  guess({ ...around, expected: 'the end of the line', rule: '' }, file, faults);
}

function guess(mistake: Mistake, file: string, faults: FaultSink): void {
  for (const { code, fits, at } of guesses) {
    const args = fits(mistake);
    if (!args) continue;
    const token = at ? at(mistake) : mistake.found;
    faults.add(code, place(file, token, token === mistake.found ? mistake.last : mistake.found), args);
    return;
  }
}

/** The name of a token in messages. */
function called(token: IToken): string {
  if (token.tokenType === EOF) return 'the end of the file';
  if (token.tokenType === Separator) return token.image === ';' ? '`;`' : 'the end of the line';
  if (token.image === '') return describe(token.tokenType);
  if (reservedWords.has(token.tokenType)) return `the word \`${token.image}\``;
  return tokenMatcher(token, Identifier) ? `the name \`${token.image}\`` : `\`${token.image}\``;
}

/** The span of a token; for the end of a line or file, the empty span after the previous token. */
function place(file: string, token: IToken, previous: IToken): Span {
  if (token.tokenType !== EOF && token.tokenType !== Separator) return span(file, token);
  const end = offsetOf(previous) + previous.image.length;
  return { file, start: end, end };
}
