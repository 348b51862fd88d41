import { describe, expect, it } from 'vitest';
import { broadcastRules } from '../../compiler/passes/broadcasts.ts';
import { channelRules } from '../../compiler/passes/channels.ts';
import { hoistRules } from '../../compiler/passes/hoist.ts';
import { reductionRules } from '../../compiler/passes/reductions.ts';
import { reshapeRules } from '../../compiler/passes/reshapes.ts';
import type { Rule } from '../../compiler/passes/rule.ts';
import { sliceRules } from '../../compiler/passes/slices.ts';
import { rewritten } from './equivalence.ts';

/** x = %0: f32[B, 4, 6, C], w = %1: f32[6], with 2 <= B and C % 2 == 0; the result is %9. */
function view(rules: readonly Rule[], body: string): string {
  return rewritten(
    rules,
    `fact 2 <= B
fact C mod 2 == 0
%0 = input name="x" : f32[B, 4, 6, C]
%1 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[6]
%2 = weight path="m" role="param" init=zeros() decay=true keepF32=false : f32[6, 5]
${body}
input "x" = %0 ""
output "y" = %9 ""
`,
  );
}

describe('reshapes and transposes', () => {
  const cases: Record<string, string> = {
    'reshape of reshape': `%3 = reshape %0 shape=[B, 24, C] : f32[B, 24, C]
%9 = reshape %3 shape=[24*B, C] : f32[24*B, C]`,
    'reshape and back': `%3 = reshape %0 shape=[B, 24, C] : f32[B, 24, C]
%9 = reshape %3 shape=[B, 4, 6, C] : f32[B, 4, 6, C]`,
    'transpose of transpose': `%3 = transpose %0 perm=[0, 2, 1, 3] : f32[B, 6, 4, C]
%9 = transpose %3 perm=[3, 0, 1, 2] : f32[C, B, 6, 4]`,
    'transpose and back': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%9 = transpose %3 perm=[0, 2, 3, 1] : f32[B, 4, 6, C]`,
    'transpose of an axis of size 1': `%3 = reshape %0 shape=[B, 1, 24, C] : f32[B, 1, 24, C]
%9 = transpose %3 perm=[0, 2, 3, 1] : f32[B, 24, C, 1]`,
    'axes that travel together': `%3 = reshape %0 shape=[B, 2, 2, 6, C] : f32[B, 2, 2, 6, C]
%4 = transpose %3 perm=[0, 3, 1, 2, 4] : f32[B, 6, 2, 2, C]
%9 = reshape %4 shape=[B, 6, 4, C] : f32[B, 6, 4, C]`,
    'channels last, flattened, channels first': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%4 = reshape %3 shape=[B, C, 24] : f32[B, C, 24]
%9 = transpose %4 perm=[0, 2, 1] : f32[B, 24, C]`,
    'a split between transposes': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%4 = reshape %3 shape=[B, C, 4, 2, 3] : f32[B, C, 4, 2, 3]
%9 = transpose %4 perm=[0, 3, 2, 4, 1] : f32[B, 2, 4, 3, C]`,
    'axes regrouped across each other stay': `%3 = transpose %0 perm=[0, 2, 1, 3] : f32[B, 6, 4, C]
%4 = reshape %3 shape=[B, 3, 8, C] : f32[B, 3, 8, C]
%9 = transpose %4 perm=[0, 2, 1, 3] : f32[B, 8, 3, C]`,
    'parts transposed alike': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%5 = transpose %3 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%9 = concat %4, %5 axis=2 : f32[B, C, 8, 6]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(view(reshapeRules, body)).toMatchSnapshot();
  });
});

describe('views that cancel across other operators', () => {
  const cases: Record<string, string> = {
    'gelu between transposes': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%4 = gelu %3 approximate=false : f32[B, C, 4, 6]
%9 = transpose %4 perm=[0, 2, 3, 1] : f32[B, 4, 6, C]`,
    'a weight along an axis between transposes': `%3 = transpose %0 perm=[0, 1, 3, 2] : f32[B, 4, C, 6]
%4 = mul %3, %1 : f32[B, 4, C, 6]
%9 = transpose %4 perm=[0, 1, 3, 2] : f32[B, 4, 6, C]`,
    'a residual between transposes': `%3 = tanh %0 : f32[B, 4, 6, C]
%4 = transpose %3 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%5 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%6 = relu %5 : f32[B, C, 4, 6]
%7 = add %4, %6 : f32[B, C, 4, 6]
%9 = transpose %7 perm=[0, 2, 3, 1] : f32[B, 4, 6, C]`,
    'nothing cancels': `%3 = relu %0 : f32[B, 4, 6, C]
%9 = transpose %3 perm=[0, 2, 3, 1] : f32[B, 6, C, 4]`,
    'needed elsewhere': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%4 = relu %3 : f32[B, C, 4, 6]
%5 = transpose %4 perm=[0, 2, 3, 1] : f32[B, 4, 6, C]
%6 = reduce_max %4 axes=[0, 1, 2, 3] keep=false : f32[]
%9 = add %5, %6 : f32[B, 4, 6, C]`,
    'softmax between transposes': `%3 = transpose %0 perm=[0, 3, 1, 2] : f32[B, C, 4, 6]
%4 = softmax %3 axis=1 : f32[B, C, 4, 6]
%9 = transpose %4 perm=[0, 2, 3, 1] : f32[B, 4, 6, C]`,
    'rows of a linear layer, grouped': `%3 = reshape %0 shape=[B, 4, C, 6] : f32[B, 4, C, 6]
%4 = reshape %3 shape=[4*B*C, 6] : f32[4*B*C, 6]
%5 = mul %4, %1 : f32[4*B*C, 6]
%6 = matmul %5, %2 : f32[4*B*C, 5]
%7 = gelu %6 approximate=false : f32[4*B*C, 5]
%9 = reshape %7 shape=[B, 4, C, 5] : f32[B, 4, C, 5]`,
    'a product of matrices, transposed': `%3 = transpose %0 perm=[0, 1, 3, 2] : f32[B, 4, C, 6]
%4 = matmul %3, %2 : f32[B, 4, C, 5]
%9 = transpose %4 perm=[0, 1, 3, 2] : f32[B, 4, 5, C]`,
    'a product whose operands are not transposed': `%3 = reshape %0 shape=[B, 4, C, 6] : f32[B, 4, C, 6]
%4 = matmul %3, %2 : f32[B, 4, C, 5]
%9 = transpose %4 perm=[0, 1, 3, 2] : f32[B, 4, 5, C]`,
    'flattened scores with a mask per batch': `%3 = reduce_max %0 axes=[1, 2, 3] keep=true : f32[B, 1, 1, 1]
%4 = reshape %3 shape=[B, 1] : f32[B, 1]
%5 = reshape %0 shape=[B, 24*C] : f32[B, 24*C]
%6 = sub %5, %4 : f32[B, 24*C]
%9 = reshape %6 shape=[B, 4, 6, C] : f32[B, 4, 6, C]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(view([...hoistRules, ...reshapeRules], body)).toMatchSnapshot();
  });
});

describe('the channels of a linear layer', () => {
  const layer = (body: string, rows = 1000) =>
    rewritten(
      [...channelRules, ...reshapeRules],
      `fact ${rows} <= N
%0 = input name="x" : f32[B, N, 6]
%1 = weight path="w" role="param" init=zeros() decay=true keepF32=false : f32[6, 8]
%2 = weight path="b" role="param" init=zeros() decay=true keepF32=false : f32[8]
%3 = matmul %0, %1 : f32[B, N, 8]
%4 = add %3, %2 : f32[B, N, 8]
${body}
input "x" = %0 ""
output "y" = %9 ""
`,
    );
  const apart = '%5 = reshape %4 shape=[B, N, 2, 4] : f32[B, N, 2, 4]';
  const exchanged = `${apart}\n%9 = transpose %5 perm=[0, 1, 3, 2] : f32[B, N, 4, 2]`;
  const cases: Record<string, string> = {
    'in another order': exchanged,
    'in another order, before the rows': `${apart}\n%9 = transpose %5 perm=[0, 3, 2, 1] : f32[B, 4, 2, N]`,
    'without a bias': exchanged.replace('%4', '%3'),
    'around the rows stay': `${apart}\n%9 = transpose %5 perm=[0, 3, 1, 2] : f32[B, 4, N, 2]`,
    'in the same order stay': `${apart}\n%9 = transpose %5 perm=[0, 2, 3, 1] : f32[B, 2, 4, N]`,
    'read elsewhere stay': `${exchanged.replace('%9', '%6')}
%7 = reduce_max %4 axes=[0, 1, 2] keep=false : f32[]
%9 = add %6, %7 : f32[B, N, 4, 2]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(layer(body)).toMatchSnapshot();
  });

  it('stay where the rows may be so few that the weight is larger', () => {
    expect(layer(exchanged, 1)).toContain('transpose %5');
  });
});

describe('slices, pads and concats', () => {
  const cases: Record<string, string> = {
    'slice of slice': `%3 = slice %0 start=[0, 1, 1, 0] stop=[B, 4, 6, C] step=[1, 1, 2, 1] : f32[B, 3, 3, C]
%9 = slice %3 start=[0, 1, 1, 0] stop=[B, 3, 3, C] step=[1, 1, 1, 1] : f32[B, 2, 2, C]`,
    'slice of one part': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = concat %0, %3 axis=3 : f32[B, 4, 6, 2*C]
%9 = slice %4 start=[0, 0, 0, C] stop=[B, 4, 6, 2*C] step=[1, 1, 1, 1] : f32[B, 4, 6, C]`,
    'slice across two of three parts': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = concat %0, %3, %0 axis=1 : f32[B, 12, 6, C]
%9 = slice %4 start=[0, 5, 0, 0] stop=[B, 11, 6, C] step=[1, 1, 1, 1] : f32[B, 6, 6, C]`,
    'slice of every part stays': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = concat %0, %3 axis=1 : f32[B, 8, 6, C]
%9 = slice %4 start=[0, 3, 0, 0] stop=[B, 5, 6, C] step=[1, 1, 1, 1] : f32[B, 2, 6, C]`,
    'slice takes the pad back': `%3 = pad %0 low=[0, 1, 0, 0] high=[0, 2, 0, 0] value=0 : f32[B, 7, 6, C]
%9 = slice %3 start=[0, 1, 0, 0] stop=[B, 5, 6, C] step=[1, 1, 1, 1] : f32[B, 4, 6, C]`,
    'slice keeps some of the pad': `%3 = pad %0 low=[0, 1, 0, 0] high=[0, 2, 0, 0] value=0 : f32[B, 7, 6, C]
%9 = slice %3 start=[0, 0, 0, 0] stop=[B, 5, 6, C] step=[1, 1, 1, 1] : f32[B, 5, 6, C]`,
    'slice of the first piece of an axis': `%3 = reshape %0 shape=[B, 2, 2, 6, C] : f32[B, 2, 2, 6, C]
%4 = slice %3 start=[0, 1, 0, 0, 0] stop=[B, 2, 2, 6, C] step=[1, 1, 1, 1, 1] : f32[B, 1, 2, 6, C]
%9 = reshape %4 shape=[B, 12, C] : f32[B, 12, C]`,
    'slice of an inner piece stays': `%3 = reshape %0 shape=[B, 2, 2, 6, C] : f32[B, 2, 2, 6, C]
%4 = slice %3 start=[0, 0, 1, 0, 0] stop=[B, 2, 2, 6, C] step=[1, 1, 1, 1, 1] : f32[B, 2, 1, 6, C]
%9 = reshape %4 shape=[B, 12, C] : f32[B, 12, C]`,
    'pad of pad': `%3 = pad %0 low=[0, 1, 0, 0] high=[0, 0, 0, 0] value=0 : f32[B, 5, 6, C]
%9 = pad %3 low=[0, 0, 0, 0] high=[0, 2, 1, 0] value=0 : f32[B, 7, 7, C]`,
    'pads of different numbers stay': `%3 = pad %0 low=[0, 1, 0, 0] high=[0, 0, 0, 0] value=0 : f32[B, 5, 6, C]
%9 = pad %3 low=[0, 0, 0, 0] high=[0, 2, 1, 0] value=1 : f32[B, 7, 7, C]`,
    'parts side by side': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = pad %0 low=[0, 1, 0, 0] high=[0, 6, 0, 0] value=0 : f32[B, 11, 6, C]
%5 = pad %3 low=[0, 5, 0, 0] high=[0, 2, 0, 0] value=0 : f32[B, 11, 6, C]
%9 = add %5, %4 : f32[B, 11, 6, C]`,
    'parts with a gap stay': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = pad %0 low=[0, 0, 0, 0] high=[0, 5, 0, 0] value=0 : f32[B, 9, 6, C]
%5 = pad %3 low=[0, 5, 0, 0] high=[0, 0, 0, 0] value=0 : f32[B, 9, 6, C]
%9 = add %4, %5 : f32[B, 9, 6, C]`,
    'parts that are padded with another number stay': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = pad %0 low=[0, 0, 0, 0] high=[0, 4, 0, 0] value=1 : f32[B, 8, 6, C]
%5 = pad %3 low=[0, 4, 0, 0] high=[0, 0, 0, 0] value=0 : f32[B, 8, 6, C]
%9 = add %4, %5 : f32[B, 8, 6, C]`,
    'concat of concat': `%3 = neg %0 : f32[B, 4, 6, C]
%4 = concat %3, %0 axis=1 : f32[B, 8, 6, C]
%9 = concat %0, %4 axis=1 : f32[B, 12, 6, C]`,
    'neighbouring slices': `%3 = slice %0 start=[0, 0, 0, 0] stop=[1, 4, 6, C] step=[1, 1, 1, 1] : f32[1, 4, 6, C]
%4 = slice %0 start=[1, 0, 0, 0] stop=[B, 4, 6, C] step=[1, 1, 1, 1] : f32[B - 1, 4, 6, C]
%9 = concat %3, %4 axis=0 : f32[B, 4, 6, C]`,
    'a roll stays': `%3 = slice %0 start=[1, 0, 0, 0] stop=[B, 4, 6, C] step=[1, 1, 1, 1] : f32[B - 1, 4, 6, C]
%4 = slice %0 start=[0, 0, 0, 0] stop=[1, 4, 6, C] step=[1, 1, 1, 1] : f32[1, 4, 6, C]
%9 = concat %3, %4 axis=0 : f32[B, 4, 6, C]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(view(sliceRules, body)).toMatchSnapshot();
  });
});

describe('broadcasts', () => {
  const cases: Record<string, string> = {
    'of an operand': `%3 = broadcast %1 shape=[C, 6] : f32[C, 6]
%4 = transpose %0 perm=[0, 1, 3, 2] : f32[B, 4, C, 6]
%9 = add %4, %3 : f32[B, 4, C, 6]`,
    'of both operands': `%3 = broadcast %1 shape=[C, 6] : f32[C, 6]
%4 = neg %1 : f32[6]
%5 = broadcast %4 shape=[C, 6] : f32[C, 6]
%9 = mul %3, %5 : f32[C, 6]`,
    'of a number': `%3 = full value=2 dtype=f32 shape=[B, 4, 6, C] : f32[B, 4, 6, C]
%9 = mul %0, %3 : f32[B, 4, 6, C]`,
    'that makes the result larger': `%3 = full value=2 dtype=f32 shape=[3, 1, 1, 1, 1] : f32[3, 1, 1, 1, 1]
%9 = mul %0, %3 : f32[3, B, 4, 6, C]`,
    'of a broadcast': `%3 = broadcast %1 shape=[C, 6] : f32[C, 6]
%9 = broadcast %3 shape=[B, C, 6] : f32[B, C, 6]`,
    'of a matrix along the batch': `%3 = transpose %0 perm=[0, 1, 3, 2] : f32[B, 4, C, 6]
%4 = broadcast %2 shape=[B, 1, 6, 5] : f32[B, 1, 6, 5]
%9 = matmul %3, %4 : f32[B, 4, C, 5]`,
    'moved about': `%3 = full value=2 dtype=f32 shape=[B, 4] : f32[B, 4]
%4 = transpose %3 perm=[1, 0] : f32[4, B]
%5 = pad %4 low=[1, 0] high=[0, 0] value=2 : f32[5, B]
%9 = reshape %5 shape=[5*B] : f32[5*B]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(view(broadcastRules, body)).toMatchSnapshot();
  });
});

describe('reductions', () => {
  const cases: Record<string, string> = {
    'of a reduction': `%3 = mean %0 axes=[1] keep=false : f32[B, 6, C]
%9 = mean %3 axes=[1, 2] keep=false : f32[B]`,
    'of another kind stay': `%3 = mean %0 axes=[1] keep=false : f32[B, 6, C]
%9 = sum %3 axes=[1, 2] keep=false : f32[B]`,
    'along axes of size 1': `%3 = reshape %0 shape=[B, 1, 24, C] : f32[B, 1, 24, C]
%9 = sum %3 axes=[1, 2] keep=false : f32[B, C]`,
    'reshaped to keep': `%3 = reduce_max %0 axes=[1, 3] keep=false : f32[B, 6]
%9 = reshape %3 shape=[B, 1, 6, 1] : f32[B, 1, 6, 1]`,
    'reshaped not to keep': `%3 = sum %0 axes=[1, 3] keep=true : f32[B, 1, 6, 1]
%9 = reshape %3 shape=[B, 6] : f32[B, 6]`,
    'over a known count': `%3 = sum %0 axes=[1, 2] keep=false : f32[B, C]
%4 = full value=24 dtype=f32 shape=[] : f32[]
%9 = div %3, %4 : f32[B, C]`,
    'over a count in the graph': `%3 = sum %0 axes=[1, 3] keep=false : f32[B, 6]
%4 = dim value=4*C : i32[]
%5 = cast %4 dtype=f32 : f32[]
%9 = div %3, %5 : f32[B, 6]`,
    'over another number stay': `%3 = sum %0 axes=[1, 2] keep=false : f32[B, C]
%4 = full value=23 dtype=f32 shape=[] : f32[]
%9 = div %3, %4 : f32[B, C]`,
  };
  it.each(Object.entries(cases))('%s', (_name, body) => {
    expect(view(reductionRules, body)).toMatchSnapshot();
  });
});
