import type { TokenType } from 'chevrotain';
import { createToken, EOF, Lexer } from 'chevrotain';

/** The tokens of `.crob`, in the order in which the lexer tries them. A token's label is its name in messages. */

const order: TokenType[] = [];

/**
 * Creates a token type. `starts` lists every character that the pattern can begin with; otherwise chevrotain would
 * derive them from the pattern in every run.
 */
function token(
  name: string,
  starts: string,
  pattern: RegExp,
  label: string,
  more: { group?: string; categories?: TokenType[] } = {},
): TokenType {
  const type = createToken({
    name,
    pattern,
    start_chars_hint: [...starts],
    label,
    line_breaks: name === 'Newline' || name === 'BlockComment',
    ...(more.group === undefined ? {} : { group: more.group }),
    ...(more.categories === undefined ? {} : { categories: more.categories }),
  });
  order.push(type);
  return type;
}

const punctuation = (name: string, pattern: RegExp, categories?: TokenType[]) =>
  token(
    name,
    firstOf(pattern),
    pattern,
    `\`${pattern.source.replaceAll('\\', '')}\``,
    categories === undefined ? {} : { categories },
  );

/** The first character of a pattern for a fixed text. */
const firstOf = ({ source }: RegExp) => source.replaceAll('\\', '').charAt(0);

const digits = '0123456789';
const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

// Blanks and comments.
token('Blank', ' \t\r\uFEFF', /[ \t\r\uFEFF]+/, 'a blank', { group: Lexer.SKIPPED });
export const Newline = token('Newline', '\n', /\n/, 'the end of the line');
token('DocComment', '/', /\/\/\/(?!\/)[^\n]*/, 'a documentation comment', { group: 'docs' });
export const Comment = token('Comment', '/', /\/\/[^\n]*/, 'a comment', { group: 'comments' });
/** Comments of other languages; reported and skipped. */
export const HashComment = token('HashComment', '#', /#[^\n]*/, 'a `#` comment', { group: 'foreign' });
export const BlockComment = token('BlockComment', '/', /\/\*[\s\S]*?\*\//, 'a block comment', { group: 'foreign' });

// Literals. The malformed ones are reported and parsed as what they most likely mean.
export const StringToken = createToken({
  name: 'String',
  start_chars_hint: ['"'],
  pattern: /"(?:[^"\\\n]|\\[^\n])*"/,
  label: 'a string',
});
order.push(StringToken);
export const OpenString = token('OpenString', '"', /"(?:[^"\\\n]|\\[^\n])*\\?/, 'a string', {
  categories: [StringToken],
});
export const SingleQuoted = token('SingleQuoted', "'", /'(?:[^'\\\n]|\\[^\n])*'/, 'a string', {
  categories: [StringToken],
});
export const Factor = token('Factor', digits, /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?x(?!\w)/, 'a factor');
export const Float = token('Float', digits, /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+)(?!\w)/, 'a number');
export const BadNumber = token(
  'BadNumber',
  `${digits}.`,
  /\d+\.\d+\w+|\d+[A-Za-z_]\w*|\d+\.(?![.\w*])|\.\d\w*/,
  'a number',
  {
    categories: [Float],
  },
);
export const Int = token('Int', digits, /\d+/, 'a number');

// Words. Soft keywords are keywords only where the grammar expects them, and names elsewhere.
export const Identifier = createToken({
  name: 'Identifier',
  start_chars_hint: [...letters, '_'],
  pattern: /[A-Za-z_]\w*/,
  label: 'a name',
});

const reserved = (word: string) => token(`Word_${word}`, word.charAt(0), new RegExp(`${word}(?!\\w)`), `\`${word}\``);
const soft = (word: string) =>
  token(`Soft_${word}`, word.charAt(0), new RegExp(`${word}(?!\\w)`), `\`${word}\``, { categories: [Identifier] });

export const Module = reserved('module');
export const Fn = reserved('fn');
export const Interface = reserved('interface');
export const Let = reserved('let');
export const Return = reserved('return');
export const If = reserved('if');
export const Else = reserved('else');
export const For = reserved('for');
export const In = reserved('in');
export const As = reserved('as');
export const Where = reserved('where');
export const Then = reserved('then');
export const True = reserved('true');
export const False = reserved('false');
export const None = reserved('none');
export const reservedWords: ReadonlySet<TokenType> = new Set([
  Module,
  Fn,
  Interface,
  Let,
  Return,
  If,
  Else,
  For,
  In,
  As,
  Where,
  Then,
  True,
  False,
  None,
]);

export const Model = soft('model');
export const Extends = soft('extends');
export const Recipe = soft('recipe');
export const Weights = soft('weights');
export const Use = soft('use');
export const Type = soft('type');
export const Example = soft('example');
export const Param = soft('param');
export const Buffer = soft('buffer');
export const Static = soft('static');
export const Method = soft('method');
export const Input = soft('input');
export const Output = soft('output');
export const Without = soft('without');
export const Term = soft('term');
export const Group = soft('group');
export const Fix = soft('fix');
export const Eval = soft('eval');
export const Train = soft('train');
export const Only = soft('only');
export const All = soft('all');
export const Except = soft('except');
export const Init = soft('init');
export const From = soft('from');
export const Via = soft('via');
export const Start = soft('start');
export const At = soft('at');
export const Tensor = soft('tensor');
export const Typeof = soft('typeof');
order.push(Identifier);

// Punctuation, longest first.
export const Spread = punctuation('Spread', /\.\.\./);
export const DotDot = punctuation('DotDot', /\.\./);
export const DotStar = punctuation('DotStar', /\.\*/);
export const Dot = punctuation('Dot', /\./);
export const Arrow = punctuation('Arrow', /->/);
export const UpdateArrow = punctuation('UpdateArrow', /<-/);
export const EqualEqual = punctuation('EqualEqual', /==/);
/** Operators of other languages; each is reported and parsed as its crob counterpart. */
export const StrictEqual = createToken({
  name: 'StrictEqual',
  start_chars_hint: ['='],
  pattern: /===/,
  label: '`===`',
  categories: [EqualEqual],
});
order.splice(order.indexOf(EqualEqual), 0, StrictEqual);
export const NotEqual = punctuation('NotEqual', /!=/);
export const LessEqual = punctuation('LessEqual', /<=/);
export const GreaterEqual = punctuation('GreaterEqual', />=/);
export const AndAnd = punctuation('AndAnd', /&&/);
export const OrOr = punctuation('OrOr', /\|\|/);
export const PlusEqual = punctuation('PlusEqual', /\+=/);
export const MinusEqual = punctuation('MinusEqual', /-=/);
export const TimesEqual = punctuation('TimesEqual', /\*=/);
export const Equal = punctuation('Equal', /=/);
export const Less = punctuation('Less', /</);
export const Greater = punctuation('Greater', />/);
export const Plus = punctuation('Plus', /\+/);
export const Minus = punctuation('Minus', /-/);
export const Caret = punctuation('Caret', /\^/);
export const DoubleStar = punctuation('DoubleStar', /\*\*/, [Caret]);
export const Star = punctuation('Star', /\*/);
export const Slash = punctuation('Slash', /\//);
export const Percent = punctuation('Percent', /%/);
export const Bang = punctuation('Bang', /!/);
export const SingleAnd = punctuation('SingleAnd', /&/, [AndAnd]);
export const SingleOr = punctuation('SingleOr', /\|/, [OrOr]);
export const Tilde = punctuation('Tilde', /~/);
export const Question = punctuation('Question', /\?/);
export const AtSign = punctuation('AtSign', /@/);
export const Comma = punctuation('Comma', /,/);
export const Colon = punctuation('Colon', /:/);
export const Semicolon = punctuation('Semicolon', /;/);
export const LParen = punctuation('LParen', /\(/);
export const RParen = punctuation('RParen', /\)/);
export const LBracket = punctuation('LBracket', /\[/);
export const RBracket = punctuation('RBracket', /\]/);
export const LBrace = punctuation('LBrace', /\{/);
export const RBrace = punctuation('RBrace', /\}/);

/** Separates two statements; created from newlines and semicolons by the line rule, never by the lexer. */
export const Separator = createToken({ name: 'Separator', pattern: Lexer.NA, label: 'the end of the line' });

export const vocabulary: readonly TokenType[] = [...order, Separator];

/** Tokens after which a statement continues on the next line. */
export const continuing: ReadonlySet<TokenType> = new Set([
  Comma,
  Equal,
  PlusEqual,
  MinusEqual,
  TimesEqual,
  Arrow,
  UpdateArrow,
  Tilde,
  Colon,
  Dot,
  Where,
  As,
  In,
  Else,
  Then,
  Plus,
  Minus,
  Star,
  Slash,
  Percent,
  Caret,
  DoubleStar,
  EqualEqual,
  StrictEqual,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  AndAnd,
  OrOr,
  SingleAnd,
  SingleOr,
  Bang,
  AtSign,
]);

/** Operators that cannot start a statement: a line that starts with one was meant as a continuation. */
export const infix: ReadonlySet<TokenType> = new Set([
  Plus,
  Star,
  Slash,
  Percent,
  Caret,
  DoubleStar,
  EqualEqual,
  StrictEqual,
  NotEqual,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  AndAnd,
  OrOr,
  SingleAnd,
  SingleOr,
  Dot,
]);

/** Token types that can end a value. */
export const valueEnds: ReadonlySet<TokenType> = new Set([
  Identifier,
  Int,
  Float,
  Factor,
  StringToken,
  True,
  False,
  None,
  RParen,
  RBracket,
]);

/** Words that start a declaration if a name follows. */
export const declarationWords: ReadonlySet<TokenType> = new Set([
  Module,
  Fn,
  Interface,
  Type,
  Model,
  Recipe,
  Weights,
  Use,
  Example,
]);

/** Words that start a member or a statement if a name follows. */
export const memberWords: ReadonlySet<TokenType> = new Set([
  Param,
  Buffer,
  Static,
  Method,
  Input,
  Output,
  Without,
  Term,
  Group,
  Fix,
  Eval,
  Train,
  Init,
  Let,
]);

export function describe(type: TokenType): string {
  return type === EOF ? 'the end of the file' : (type.LABEL ?? type.name);
}
