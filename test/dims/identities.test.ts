import { describe, expect, test } from 'vitest';
import { Facts, settledBy, settledClause, showClause } from '../../compiler/dims/facts.ts';
import { read } from './reading.ts';
import { clause, where } from './reading-clauses.ts';

function given(text: string): Facts {
  return where(text).reduce((facts, c) => facts.assume(c), Facts.none);
}

function answer(facts: string, question: string): string {
  return given(facts).holds(clause(question)).answer;
}

/** A0 <= A1, A1 <= A2, … */
function chain(sign: '<=' | '<', length: number, times = ''): string {
  return Array.from({ length }, (_, i) => `${times}A${i} ${sign} A${i + 1}`).join(', ');
}

describe('proved', () => {
  test.each([
    // Windows: M = ceil(H/w).
    ...[2, 7, 8, 12].flatMap((w) => [
      ['', `H <= ${w}*ceil(H/${w})`],
      ['', `${w}*ceil(H/${w}) - H < ${w}`],
      ['', `floor(${w}*ceil(H/${w})/${w}) == ceil(H/${w})`],
      ['', `H + (-H % ${w}) == ${w}*ceil(H/${w})`],
      ['', `${w}*ceil(H/${w}) - H == -H % ${w}`],
      ['', `1 <= ceil(H/${w})*ceil(W/${w})`],
      ['', `H*W <= ${w}*${w}*ceil(H/${w})*ceil(W/${w})`],
      ['', `B*ceil(H/${w})*ceil(W/${w})*${w}*${w} == B*(ceil(H/${w})*${w})*(ceil(W/${w})*${w})`],
      [`H % ${w} == 0`, `${w}*ceil(H/${w}) == H`],
      [`H % ${w} == 0`, `-H % ${w} <= 0`],
    ]),
    // Patch embedding, merging and the pyramid.
    ['H % 32 == 0', 'floor(floor(floor(H/4)/2)/4) == floor(H/32)'],
    ['H % 32 == 0', '2*floor(H/32) == floor(H/16)'],
    ['H % 32 == 0', '8*floor(H/32) == floor(H/4)'],
    ['H % 32 == 0, W % 32 == 0', 'floor(H*W/16) == floor(H/4)*floor(W/4)'],
    ['H % 2 == 0, W % 2 == 0', '(H*W) % 4 == 0'],
    ['H % 32 == 0', '1 <= floor(H/32)'],
    ['H % 32 == 0', 'floor(H/4) % 8 == 0'],
    ['H % 32 == 0', 'ceil(H/4) == floor(H/4)'],
    ['H % 32 == 5', 'floor(H/4) == 8*floor(H/32) + 1'],
    ['', 'floor((H + 1)/2) == ceil(H/2)'],
    ['', 'ceil(H/2) == H - floor(H/2)'],
    ['', 'ceil(ceil(H/2)/2) == ceil(H/4)'],
    ['', '2*floor(H/2) <= H'],
    ['', 'H <= 2*ceil(H/2)'],
    ['', 'floor(H/3) + floor((H + 1)/3) + floor((H + 2)/3) == H'],
    ['', 'floor(H/6) + floor((H + 2)/6) + floor((H + 4)/6) == floor(H/2)'],
    // Deformable levels.
    [
      'H % 32 == 0, W % 32 == 0',
      'floor(H/4)*floor(W/4) + floor(H/8)*floor(W/8) + floor(H/16)*floor(W/16) + floor(H/32)*floor(W/32) == 85*floor(H/32)*floor(W/32)',
    ],
    // CAPM's pooling to a fixed grid, and prompts behind words.
    ['T <= 20', 'T + 4 <= 512'],
    ['H % 32 == 0', '4*floor(H/32) - floor(H/8) == 0'],
    ['16 <= H*W', '16 <= B*H*W'],
    ['K <= H*W', 'K <= B*H*W'],
    ['K <= H*W', 'C*K <= C*H*W'],
    ['2 <= B*H*W', '1 <= B*H*W - 1'],
    ['T <= N, N <= 512', 'T <= 512'],
    ['T < N, N < M', 'T + 2 <= M'],
    ['A <= B, C <= D', 'A*C <= B*D'],
    // A whole number is at most floor(p/k) exactly when k times it is at most p, and so on for ceilings and <.
    ['2*H <= W', 'H <= floor(W/2)'],
    ['H <= 2*W', 'ceil(H/2) <= W'],
    ['2*H < W', 'H < ceil(W/2)'],
    ['W < 2*H', 'floor(W/2) < H'],
    ['W <= 2*H + 1', 'floor(W/2) <= H'],
    ['H <= floor(W/2)', '2*H <= W'],
    ['ceil(H/2) <= W', 'H <= 2*W'],
    ['2*H <= W, W < 2*H + 2', 'floor(W/2) == H'],
    ['4*H <= W', 'B*H <= B*floor(W/4)'],
    ['4*H <= W', '3*H + T <= 3*floor(W/4) + T'],
    ['3*H <= 2*W', 'H <= floor(2*W/3)'],
    ['H <= W', 'floor(H/3) <= ceil(W/3)'],
    ['H <= W', 'floor(B*H/4) <= floor(B*W/4)'],
    ['2*H <= W', 'B*H <= B*floor(W/2) + T'],
    ['H*W <= N', 'floor(H*W/4) <= floor(N/4)'],
    // Chains.
    [chain('<=', 12), 'A0 <= A12'],
    [chain('<=', 30), 'A0 <= A30'],
    [chain('<', 12), 'A0 + 12 <= A12'],
    [chain('<=', 12), 'B*A0 + T <= B*A12 + T'],
    [`${chain('<=', 12)}, A12 <= A0`, 'A3 == A9'],
    [chain('<=', 12), 'min(A0, A12) == A0'],
    [chain('<=', 12, '2*'), '4096*A0 <= A12'],
    [`${chain('<=', 12)}, 3*A12 <= W`, 'A0 <= floor(W/3)'],
    ['A + B <= C, C + D <= E, E <= F, F + G <= H, H <= K, K <= L, L <= M', 'A + B + D + G <= M'],
    // Convolutions: floor((H + 2p - d(k - 1) - 1)/s) + 1.
    ['', 'floor((H + 2 - 2 - 1)/1) + 1 == H'],
    ['', 'floor((H + 2 - 2 - 1)/2) + 1 == ceil(H/2)'],
    ['', 'floor((H + 6 - 6 - 1)/2) + 1 == ceil(H/2)'],
    ['', 'floor((floor((H + 6 - 6 - 1)/2) + 1 + 2 - 2 - 1)/2) + 1 == ceil(H/4)'],
    ['H % 2 == 0', 'floor((H + 2 - 2 - 1)/2) + 1 == floor(H/2)'],
    ['H % 4 == 0', 'floor((H - 3 - 1)/4) + 1 == floor(H/4)'],
    ['7 <= H', '1 <= floor((H - 6 - 1)/2) + 1'],
    ['', '1 <= floor((H + 6 - 6 - 1)/2) + 1'],
    // Facts that are solved.
    ['H == 480', 'floor(H/32) == 15'],
    ['T == N + 1', 'B*T == B*N + B'],
    ['H == W', 'H*W == W^2'],
    ['C == 4*D', 'C % 4 == 0'],
    ['C == 4*D', 'floor(C/4) == D'],
    ['4*D == 3*C', 'D % 3 == 0'],
    ['4*D == 3*C', '8*D == 6*C'],
    ['H*W == N*W', 'H == N'],
    ['floor(H/4) == X', '4*X <= H'],
    ['floor(H/4) == 3*W, H % 3 == 1', 'H == 12*W + 1'],
    ['floor(H/4) == 3*W, H % 3 == 1', 'floor((B*H*floor(H/4) + B^2*floor(H/4))/3) == B*H*W + B^2*W'],
    ['floor(H/4) % 8 == 0', '4*floor(H/4) == 32*floor(H/32)'],
    ['2 <= floor(H/16)', '32 <= H'],
    ['H % 4 == 1, H % 6 == 3', 'H % 12 == 9'],
    ['(H + W) % 2 == 0', '2*floor((H + W)/2) == H + W'],
    ['(B*H) % 8 == 0', '(3*B*H) % 8 == 0'],
    ['H <= W, W <= H', 'H == W'],
    ['H % 32 == 0, H <= 40', 'H == 32'],
    ['H <= 3', 'floor(H/4) == 0'],
    ['H <= 2', 'H*H == 3*H - 2'],
    // Extrema.
    ['', 'min(H, W) <= H'],
    ['', 'H <= max(H, W)'],
    ['', 'min(H, W) + max(H, W) == H + W'],
    ['', 'max(min(H, 512), 1) == min(H, 512)'],
    ['H <= W', 'min(H, W) == H'],
    ['T <= 512', 'min(T, 512) == T'],
    // Remainders.
    ['', 'H % 7 <= 6'],
    ['', 'H % 7 <= H'],
    ['', '(H^2 + H) % 2 == 0'],
    ['', '(H^3 - H) % 6 == 0'],
    // Everything follows from a contradiction.
    ['H % 4 == 1, H % 6 == 2', 'H == 7'],
  ])('%s |- %s', (facts, question) => {
    expect(answer(facts!, question!)).toBe('proved');
  });
});

describe('refuted, with a witness that tells', () => {
  test.each([
    ['', '2*floor(H/2) == H', 'H=3: 2 3'],
    ['', '32*floor(H/32) == H', 'H=33: 32 33'],
    ['H % 2 == 0', '4*floor(H/4) == H', 'H=6: 4 6'],
    ['', '2*floor(H/32) == floor(H/16)', 'H=48: 2 3'],
    ['', 'H == W', 'H=2,W=3: 2 3'],
    ['', 'T == N + 1', 'N=2,T=5: 5 3'],
    ['', 'B == 1', 'B=2: 2 1'],
    ['', 'T <= 512', 'T=513: 513 512'],
    ['', '16 <= H*W', 'H=2,W=3: 16 6'],
    ['', '2 <= B*H*W', 'B=1,H=1,W=1: 2 1'],
    ['H % 32 == 0, W % 32 == 0', 'H == W', 'H=32,W=64: 32 64'],
    ['T == N + 1', 'T == N', 'N=2,T=3: 3 2'],
    ['', 'H % 4 == 0', 'H=2: 2 0'],
    ['', '3 == 4', ': 3 4'],
  ])('%s |- %s at %s', (facts, question, expected) => {
    const got = given(facts).holds(clause(question));
    if (got.answer !== 'refuted') throw new Error(got.answer);
    const at = [...got.witness].map(([name, n]) => `${name}=${n}`).sort();
    expect(`${at}: ${got.left} ${got.right}`).toBe(expected);
  });
});

describe('what would settle it', () => {
  test.each([
    ['', '2*floor(H/2) == H', 'H % 2 == 0'],
    ['', '2*floor(H/32) == floor(H/16)', 'H % 32 == 0'],
    ['', '4*floor(H/4)*floor(W/4) == floor(W/4)*H', 'H % 4 == 0'],
    ['', '16*floor(H/4)*floor(W/4) == H*W', 'H % 4 == 0, W % 4 == 0'],
    ['', '2*floor(H/2) + 1 == H', 'H % 2 == 1'],
    ['', 'T == N + 1', 'T == N + 1'],
    ['', 'B*T == B*N + B', 'T == N + 1'],
    ['', 'H*W == H*N', 'N == W'],
    ['', '4*D == 3*C', '4*D == 3*C'],
    ['', 'B == 1', 'B == 1'],
    ['', 'T <= 512', 'T <= 512'],
    ['', 'T < 512', 'T <= 511'],
    ['', '1 <= floor(H/4)', '4 <= H'],
    ['', '1 <= floor((H - 7)/2) + 1', '7 <= H'],
    ['', 'T + 4 <= 512', 'T <= 508'],
    ['', '16 <= H*W', '16 <= H*W'],
    ['', 'K <= H*W', 'K <= H*W'],
    ['', 'H % 4 == 0', 'H % 4 == 0'],
    ['H % 2 == 0', 'H % 4 == 0', 'H % 4 == 0'],
    ['', '(H*W) % 4 == 0', 'H % 2 == 0, W % 2 == 0'],
    ['', '(H*W) % 196 == 0', 'H % 14 == 0, W % 14 == 0'],
    ['', '(H*W) % 256 == 0', 'H % 16 == 0, W % 16 == 0'],
    ['', '196*floor(H*W/196) == H*W', 'H % 14 == 0, W % 14 == 0'],
    ['H % 14 == 0', '(H*W) % 196 == 0', 'W % 14 == 0'],
    ['', '(H*W) % 6 == 0', 'H % 6 == 0'],
    ['', '(H + W) % 4 == 0', 'H % 4 == 0, W % 4 == 0'],
    ['', '(2*H + 4*W) % 8 == 0', 'H % 4 == 0, W % 2 == 0'],
    ['', '1 <= floor(H/4)*floor(W/4)', '4 <= H, 4 <= W'],
    ['', '2 <= floor(H/4) + floor(W/8)', '8 <= H'],
    ['', '1 <= floor((H - 7)/2)*floor((W - 3)/2)', '9 <= H, 5 <= W'],
    ['', '3 == 4', undefined],
    ['H % 2 == 1', 'H % 4 == 0', undefined],
  ])('%s |- %s when %s', (facts, question, expected) => {
    expect(settledClause(given(facts), clause(question))).toBe(expected);
  });

  test('for two dims', () => {
    expect(settledBy(Facts.none, read('2*floor(H/2)'), read('H'))).toBe('H % 2 == 0');
    expect(settledBy(Facts.none, read('T'), read('512'), 'le')).toBe('T <= 512');
  });
});

describe('shown under facts', () => {
  test.each([
    ['H % 32 == 0', 'floor(H/4)', 'H/4'],
    ['', 'floor(H/4)', 'floor(H/4)'],
    ['H % 32 == 0', 'B*floor(H/4)*floor(W/4)', 'B*H/4*floor(W/4)'],
    ['H % 32 == 0, W % 32 == 0', 'floor(H/4)*floor(W/4)', 'H*W/16'],
    ['H % 4 == 0', 'ceil(H/4)', 'H/4'],
    ['H % 2 == 0', '2*floor(H/2)', 'H'],
    ['H == 480', 'floor(H/4)', '120'],
    ['T == N + 1', 'T', 'T'],
    ['(H + W) % 2 == 0', 'floor((H + W)/2)', '(H + W)/2'],
  ])('%s |- %s as %s', (facts, d, expected) => {
    expect(given(facts).show(read(d))).toBe(expected);
  });

  test('clauses read as they were written', () => {
    const text = 'H % 32 == 0, T <= 512, N < T, (H + W) % 2 == 1, 2 <= B*H*W, C == 4*D';
    expect(
      where(text)
        .map((c) => showClause(c))
        .join(', '),
    ).toBe(text);
  });
});

describe('asked for numbers', () => {
  test('intervals and congruences', () => {
    const facts = given('H % 32 == 0, H <= 500, T <= 20, 2 <= B*W, (B*C) % 8 == 3');
    expect(facts.interval(read('H'))).toEqual({ lo: 32, hi: 480 });
    expect(facts.interval(read('floor(H/4) + T'))).toEqual({ lo: 9, hi: 140 });
    expect(facts.interval(read('3*B*W + 1'))).toEqual({ lo: 7, hi: Number.POSITIVE_INFINITY });
    expect(facts.interval(read('X'))).toEqual({ lo: 1, hi: Number.POSITIVE_INFINITY });
    expect(facts.congruence(read('floor(H/4) + 3'))).toEqual({ modulus: 8, remainder: 3 });
    expect(facts.congruence(read('B*C'))).toEqual({ modulus: 8, remainder: 3 });
    expect(facts.congruence(read('7'))).toEqual({ modulus: 0, remainder: 7 });
  });

  test('examples are the smallest, and satisfy', () => {
    const example = (facts: string, ...names: string[]) =>
      Object.fromEntries(given(facts).example(names) ?? [['none', 0]]);
    expect(example('H % 32 == 0, W % 32 == 0', 'B', 'H', 'W')).toEqual({ B: 1, H: 32, W: 32 });
    expect(example('4*D == 3*C', 'C', 'D')).toEqual({ C: 4, D: 3 });
    expect(example('2 <= B*H', 'H', 'B')).toEqual({ B: 1, H: 2 });
    expect(example('T == N + 1', 'T')).toEqual({ T: 2 });
    expect(example('H < 1', 'H')).toEqual({ none: 0 });
  });
});
