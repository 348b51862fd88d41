import { Lexer, type TokenType } from 'chevrotain';
import { expect, it } from 'vitest';
import { vocabulary } from '../../grammar/tokens.ts';

/** Which tokens are tried at which character, as chevrotain keeps it. */
function triedAt(types: readonly TokenType[]): readonly string[] {
  const lexer = new Lexer([...types], { positionTracking: 'onlyOffset', ensureOptimizations: true }) as unknown as {
    readonly charCodeToPatternIdxToConfig: Readonly<
      Record<string, Readonly<Record<number, readonly { readonly tokenType: TokenType }[]>>>
    >;
  };
  const [table = {}] = Object.values(lexer.charCodeToPatternIdxToConfig);
  return Object.entries(table).map(
    ([code, tried]) => `${code}: ${tried.map(({ tokenType }) => tokenType.name).join()}`,
  );
}

it('the first characters of tokens are those of their patterns', () => {
  const without = vocabulary.map((type): TokenType => {
    const { START_CHARS_HINT: _, ...bare } = type;
    return bare;
  });
  const tried = triedAt(vocabulary);
  expect(tried.length).toBeGreaterThan(90);
  expect(tried).toEqual(triedAt(without));
});
