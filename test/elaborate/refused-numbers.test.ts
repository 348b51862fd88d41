import { expect, test } from 'vitest';
import { check } from '../../compiler/check/check.ts';
import { memoryHost } from '../memory-host.ts';

/** What the language makes by itself, a number as a tensor say, has a name in messages too. */
test.each(['x + 1e39', '1e39 * x', 'max(x, 1e39)', 'select(x < 0, 1e39, x)', 'full(1e39, [8]) + x', 'x ^ 1e39'])(
  'the message for `%s` names an operator',
  (body) => {
    const source = `model Net() {\n  input x: f32[B, 8]\n  output y = ${body}\n}`;
    const { diagnostics } = check(memoryHost({ 'main.crob': source }), ['main.crob']);
    expect(diagnostics.map(({ code, message }) => [code, message])).toEqual([
      ['CROB2115', expect.stringMatching(/^\w+ refuses its arguments: \S/)],
    ]);
  },
);
