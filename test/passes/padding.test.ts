import { describe, expect, it } from 'vitest';
import { paddingRules } from '../../compiler/passes/padding.ts';
import { rewritten } from './equivalence.ts';

/** x = %0: f32[B, 3, 5, 64], m = %1: f32[64, 96] and small = %2: f32[64, 32]; the result is %99. */
function padded(body: string, rules = paddingRules): string {
  return rewritten(
    rules,
    `%0 = input name="x" : f32[B, 3, 5, 64]
%1 = weight path="m" role="param" init=zeros() decay=true keepF32=false : f32[64, 96]
%2 = weight path="small" role="param" init=zeros() decay=true keepF32=false : f32[64, 32]
${body}
input "x" = %0 ""
output "y" = %99 ""
`,
  );
}

/** To 8×8 places. */
const much = '%3 = pad %0 low=[0, 1, 0, 0] high=[0, 4, 3, 0] value=0 : f32[B, 8, 8, 64]';
/** To 3×6 places. */
const little = '%3 = pad %0 low=[0, 0, 0, 0] high=[0, 0, 1, 0] value=0 : f32[B, 3, 6, 64]';
const rolled = `%4 = slice %3 start=[0, 2, 0, 0] stop=[B, 8, 8, 64] step=[1, 1, 1, 1] : f32[B, 6, 8, 64]
%5 = slice %3 start=[0, 0, 0, 0] stop=[B, 2, 8, 64] step=[1, 1, 1, 1] : f32[B, 2, 8, 64]
%6 = concat %4, %5 axis=1 : f32[B, 8, 8, 64]`;
const windows = `%7 = reshape %6 shape=[2*B, 4, 2, 256] : f32[2*B, 4, 2, 256]
%8 = transpose %7 perm=[0, 2, 1, 3] : f32[2*B, 2, 4, 256]
%9 = reshape %8 shape=[B, 4, 16, 64] : f32[B, 4, 16, 64]`;

describe('rows of zeros', () => {
  it('are added after the product, and arranged then', () => {
    expect(padded(`${much}\n${rolled}\n${windows}\n%99 = matmul %9, %1 : f32[B, 4, 16, 96]`)).toBe(
      `%2 = matmul %0, %1 : f32[B, 3, 5, 96]
%3 = pad %2 low=[0, 1, 0, 0] high=[0, 4, 3, 0] value=0 : f32[B, 8, 8, 96]
%4 = slice %3 start=[0, 2, 0, 0] stop=[B, 8, 8, 96] step=[1, 1, 1, 1] : f32[B, 6, 8, 96]
%5 = slice %3 start=[0, 0, 0, 0] stop=[B, 2, 8, 96] step=[1, 1, 1, 1] : f32[B, 2, 8, 96]
%6 = concat %4, %5 axis=1 : f32[B, 8, 8, 96]
%7 = reshape %6 shape=[2*B, 4, 2, 384] : f32[2*B, 4, 2, 384]
%8 = transpose %7 perm=[0, 2, 1, 3] : f32[2*B, 2, 4, 384]
%9 = reshape %8 shape=[B, 4, 16, 96] : f32[B, 4, 16, 96]
y = %9`,
    );
  });

  it('are added after a product that makes rows shorter, however few they are', () => {
    expect(padded(`${little}\n%99 = matmul %3, %2 : f32[B, 3, 6, 32]`)).toBe(
      `%2 = matmul %0, %1 : f32[B, 3, 5, 32]
%3 = pad %2 low=[0, 0, 0, 0] high=[0, 0, 1, 0] value=0 : f32[B, 3, 6, 32]
y = %3`,
    );
  });

  const left: Record<string, string> = {
    'where moving longer rows costs more': `${little}
%4 = transpose %3 perm=[0, 2, 1, 3] : f32[B, 6, 3, 64]
%99 = matmul %4, %1 : f32[B, 6, 3, 96]`,
    'where they are not zeros': `%3 = pad %0 low=[0, 1, 0, 0] high=[0, 4, 3, 0] value=1 : f32[B, 8, 8, 64]
%99 = matmul %3, %2 : f32[B, 8, 8, 32]`,
    'where columns are added, too': `%3 = slice %0 start=[0, 0, 0, 0] stop=[B, 3, 5, 60] step=[1, 1, 1, 1] : f32[B, 3, 5, 60]
%4 = pad %3 low=[0, 0, 0, 0] high=[0, 5, 3, 4] value=0 : f32[B, 8, 8, 64]
%99 = matmul %4, %2 : f32[B, 8, 8, 32]`,
    'where rows are taken apart': `${much}
%4 = transpose %3 perm=[0, 1, 3, 2] : f32[B, 8, 64, 8]
%5 = reshape %4 shape=[B, 8, 8, 64] : f32[B, 8, 8, 64]
%99 = matmul %5, %2 : f32[B, 8, 8, 32]`,
    'where something else reads the padded rows': `${much}
%4 = matmul %3, %2 : f32[B, 8, 8, 32]
%5 = slice %3 start=[0, 0, 0, 0] stop=[B, 8, 8, 32] step=[1, 1, 1, 1] : f32[B, 8, 8, 32]
%99 = add %4, %5 : f32[B, 8, 8, 32]`,
    'where nothing is padded': '%99 = matmul %0, %2 : f32[B, 3, 5, 32]',
  };
  it.each(Object.entries(left))('stay %s', (_name, body) => {
    expect(padded(body)).toBe(padded(body, []));
  });
});
