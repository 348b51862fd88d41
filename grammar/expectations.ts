import type { IParserErrorMessageProvider } from 'chevrotain';
import { describe } from './tokens.ts';

/** What each rule parses, for "expected …" when none of its alternatives matches. */
const readable: Readonly<Record<string, string>> = {
  primary: 'an expression',
  unary: 'an expression',
  indexItem: 'an index',
  shapeItem: 'a dim',
  type: 'a type',
  namedType: 'a type',
  listed: '`,`, `for` or `]`',
  list: '`,`, `for` or `]`',
  postfix: '`(`, `[` or `.`',
  ifExpr: '`{` or `if` after `else`',
  ifItem: '`{` or `if` after `else`',
  pathStep: 'an index or `*`',
  fn: '`=` or `{`',
  statement: 'a statement',
  declaration: 'a declaration',
  moduleMember: 'a member',
  modelMember: 'a member of a model',
  recipeMember: 'a member of a recipe',
};

/**
 * chevrotain asks for a whole message; this one contains only what was expected. `recovery.ts` makes the fault from
 * it, because it knows the surrounding tokens.
 */
export const expectations: IParserErrorMessageProvider = {
  buildMismatchTokenMessage: ({ expected }) => describe(expected),
  buildNotAllInputParsedMessage: () => 'the end of the file',
  buildNoViableAltMessage: ({ ruleName }) => readable[ruleName] ?? ruleName,
  buildEarlyExitMessage: ({ ruleName }) => readable[ruleName] ?? ruleName,
};
