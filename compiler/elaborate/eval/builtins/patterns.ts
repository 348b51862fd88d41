import type { Span } from '../../../../grammar/span.ts';
import type { Dim } from '../../../dims/dim.ts';
import * as dims from '../../../dims/dim.ts';
import type { Value } from '../../../ir/graph.ts';
import type { Given, Val } from '../../context/elaborated.ts';
import { asNumber, dimVal, error, list, tensor } from '../../context/values.ts';
import {
  alongAxis,
  concat,
  einsum,
  isRefused,
  type PatternContext,
  type PatternFault,
  type PatternResult,
  pad,
  rearrange,
  reduce,
  repeat,
  roll,
  split,
  stack,
} from '../../patterns/index.ts';
import { axisWord, provenance } from '../../report/provenance.ts';
import { argText, fail, reportRefusal, requireClause, requireEqual } from '../../report/report.ts';
import {
  type Builtin,
  type BuiltinCall,
  dimsArg,
  numberArg,
  readArguments,
  stringArg,
  tensorArg,
  tensorsArg,
  wanted,
} from './builtin.ts';
import { sumOfList } from './elementwise.ts';

/** Runs a pattern operation on the graph and reports its fault, if any. */
export function patterned(
  cx: BuiltinCall,
  operands: readonly Value[],
  run: (at: PatternContext) => PatternResult<Value | readonly Value[]>,
): Val {
  const { scope, span } = cx;
  const build = scope.graph?.build;
  if (!build) return fail(scope, 'CROB2208', span, { what: cx.name });
  build.origin = { span, path: '', label: cx.name };
  const made = run({ build, facts: scope.facts, store: scope.context.run.store.patterns });
  if (isRefused(made)) return explain(cx, made.fault, operands);
  return 'node' in made ? tensor(made) : list(made.map(tensor));
}

function explain(cx: BuiltinCall, fault: PatternFault, operands: readonly Value[]): Val {
  const texts = cx.texts();
  const tensors = operands.slice(0, 3).map((value, i) => ({ name: texts[i] ?? `argument ${i + 1}`, value }));
  const pattern = cx.args.get('pattern')?.span;
  switch (fault.kind) {
    case 'operator':
      return reportRefusal(cx.scope, fault.refusal, cx.span, cx.name, texts);
    case 'syntax':
      return fail(cx.scope, 'CROB2112', within(pattern ?? cx.span, fault), { what: cx.name, reason: fault.message });
    case 'names':
      return fail(
        cx.scope,
        'CROB2114',
        within(pattern ?? cx.span, fault),
        { what: cx.name, reason: fault.message },
        { details: provenance(cx.scope, tensors) },
      );
    case 'rank':
      return fail(
        cx.scope,
        'CROB2113',
        pattern ?? cx.span,
        { what: cx.name, reason: fault.message },
        { details: provenance(cx.scope, tensors) },
      );
    case 'dims': {
      if (dims.isOverflow(fault.left) || dims.isOverflow(fault.right)) return fail(cx.scope, 'CROB2224', cx.span, {});
      // Name the axis if the message does not.
      const word =
        fault.relation !== '==' || fault.message.includes('`') || fault.axis < 0
          ? ''
          : ` ${axisWord(operands[fault.input]?.type.shape ?? [], fault.axis, fault.left, fault.right)}`;
      const what = `${cx.name}: ${fault.message}${fault.relation === '==' ? `:${word}` : ''}`;
      const parts = fault.help === undefined ? { tensors } : { tensors, help: fault.help };
      if (fault.relation === '==') requireEqual(cx.scope, fault.left, fault.right, cx.span, what, parts);
      else if (fault.relation === '<=')
        requireClause(cx.scope, { kind: 'le', left: fault.left, right: fault.right }, cx.span, what, () => parts);
      else {
        const k = dims.asConstant(fault.right);
        if (k !== undefined)
          requireClause(
            cx.scope,
            { kind: 'mod', value: fault.left, modulus: k, remainder: 0 },
            cx.span,
            what,
            () => parts,
          );
        else
          fail(
            cx.scope,
            'CROB2107',
            cx.span,
            { left: cx.scope.facts.show(fault.left), right: cx.scope.facts.show(fault.right) },
            { details: [what, ...provenance(cx.scope, tensors)] },
          );
      }
      return error;
    }
  }
}

/** The span within a string literal that a pattern fault is about; the opening quote is one character. */
function within(literal: Span, fault: { readonly at: number; readonly length: number }): Span {
  const start = literal.start + 1 + fault.at;
  const end = Math.min(literal.end, start + Math.max(1, fault.length));
  return start < literal.end ? { file: literal.file, start, end } : literal;
}

function sizes(cx: BuiltinCall): Map<string, Dim> | undefined {
  const found = new Map<string, Dim>();
  for (const [name, given] of cx.rest) {
    if (given.value.kind !== 'dim') return wantedRest(cx, name, given, 'an int or a dim');
    found.set(name, given.value.dim);
  }
  return found;
}

function wantedRest(cx: BuiltinCall, name: string, given: Given, expected: string): undefined {
  fail(cx.scope, 'CROB2201', given.span, { expected: `${expected} as the size \`${name}\``, actual: given.value.kind });
  return undefined;
}

function reshaping(name: 'rearrange' | 'repeat', run: typeof rearrange, docs: string): Builtin {
  return {
    name,
    params: ['x', 'pattern'],
    rest: 'sizes of names',
    docs,
    call(cx) {
      const args = readArguments(cx, { x: tensorArg, pattern: stringArg, by: sizes });
      return args ? patterned(cx, [args.x], (at) => run(at, args.x, args.pattern, args.by)) : error;
    },
  };
}

function reduction(name: 'sum' | 'mean' | 'amax', kind: 'sum' | 'mean' | 'max'): Builtin {
  return {
    name,
    params: ['x', 'pattern?'],
    rest: 'sizes of names',
    docs: `${kind === 'max' ? 'Maximum' : kind === 'mean' ? 'Mean' : 'Sum'} over the axes that the right side of the pattern leaves out: \`${name}(x, "b c h w -> b c")\`, or \`${name}(x, "b c h w ->")\` over all${name === 'sum' ? '; of a list, without a pattern, its sum' : '. A tensor needs the pattern'}.`,
    call(cx) {
      const given = cx.args.get('x');
      if (name === 'sum' && given?.value.kind === 'list' && !cx.args.has('pattern'))
        return sumList(cx, given, given.value.items);
      const x = tensorArg(cx, 'x');
      if (!cx.args.has('pattern'))
        return fail(
          cx.scope,
          'CROB2010',
          cx.span,
          { name: 'pattern', callee: name },
          { help: `name the axes that stay: ${name}(x, "b c h w -> b c"), or none of them: ${name}(x, "b c h w ->")` },
        );
      const args = readArguments(cx, { pattern: stringArg, by: sizes });
      return x && args ? patterned(cx, [x], (at) => reduce(at, kind, x, args.pattern, args.by)) : error;
    },
  };
}

function sumList(cx: BuiltinCall, given: Given, items: readonly Val[]): Val {
  if (items.length > 0 && items.every((item) => item.kind === 'tensor')) {
    return sumOfList.call({ ...cx, args: new Map([['xs', given]]) });
  }
  if (items.every((item) => item.kind === 'dim')) return dimVal(dims.sum(items.map((item) => item.dim)));
  const numbers = items.map(asNumber);
  if (numbers.every((n) => n !== undefined)) return { kind: 'float', value: numbers.reduce((a, b) => a + b, 0) };
  return wanted(cx, 'x', 'a tensor, or a list of tensors or of numbers') ?? error;
}

const joins: Builtin[] = (['concat', 'stack'] as const).map((name) => ({
  name,
  params: ['xs', 'pattern'],
  docs:
    name === 'concat'
      ? 'Joins tensors along the starred axis: `concat([a, b], "b * d")`.'
      : 'Joins tensors along a new axis, at the star: `stack([a, b], "* b c")`.',
  call(cx) {
    const xs = tensorsArg(cx, 'xs');
    const pattern = stringArg(cx, 'pattern');
    if (!xs || pattern === undefined) return error;
    const list = cx.source[0]?.value;
    const texts = () =>
      list?.kind === 'list'
        ? list.items.map((item) => argText(cx.scope, item))
        : xs.map((_, i) => `${cx.texts()[0]}[${i}]`);
    return patterned({ ...cx, texts }, xs, (at) => (name === 'concat' ? concat : stack)(at, xs, pattern));
  },
}));

export const patternBuiltins: readonly Builtin[] = [
  reshaping(
    'rearrange',
    rearrange,
    'Splits, merges and permutes axes: `rearrange(x, "b (h p) c -> b h (p c)", p = 2)`.',
  ),
  reshaping('repeat', repeat, 'As rearrange; names that are new on the right repeat the tensor along them.'),
  reduction('sum', 'sum'),
  reduction('mean', 'mean'),
  reduction('amax', 'max'),
  ...joins,
  {
    name: 'split',
    params: ['x', 'pattern', 'sizes'],
    docs: 'Splits the starred axis into parts of the given sizes, whose sum is its size.',
    call(cx) {
      const args = readArguments(cx, { x: tensorArg, pattern: stringArg, sizes: dimsArg });
      return args ? patterned(cx, [args.x], (at) => split(at, args.x, args.pattern, args.sizes)) : error;
    },
  },
  {
    name: 'pad',
    params: ['x', 'pattern', 'value?'],
    rest: 'amounts (low, high) of names',
    docs: 'Pads named axes: `pad(x, "b h w c", h = (0, 3), value = 0.0)`. An axis takes a pair (before, after), or an int or dim for both sides.',
    call(cx) {
      const args = readArguments(cx, { x: tensorArg, pattern: stringArg, value: (cx, name) => numberArg(cx, name, 0) });
      if (!args) return error;
      const { x, pattern, value } = args;
      const amounts = new Map<string, readonly [Dim, Dim]>();
      for (const [name, given] of cx.rest) {
        const both = given.value.kind === 'list' && given.value.items.length === 2 ? given.value.items : undefined;
        const [low, high] = both ?? [given.value, given.value];
        if (low?.kind !== 'dim' || high?.kind !== 'dim')
          return wantedRest(cx, name, given, 'a pair (low, high)') ?? error;
        amounts.set(name, [low.dim, high.dim]);
      }
      return patterned(cx, [x], (at) => pad(at, x, pattern, amounts, value));
    },
  },
  {
    name: 'roll',
    params: ['x', 'pattern'],
    rest: 'shifts of names',
    docs: 'Rolls named axes: `roll(x, "b h w c", h = -s)`; elements that leave at one end enter at the other.',
    call(cx) {
      const args = readArguments(cx, { x: tensorArg, pattern: stringArg, shifts: sizes });
      return args ? patterned(cx, [args.x], (at) => roll(at, args.x, args.pattern, args.shifts)) : error;
    },
  },
  {
    name: 'einsum',
    params: ['pattern'],
    variadic: true,
    rest: 'sizes of names',
    docs: 'Sums of products by axis names: `einsum("b h n d, b h m d -> b h n m", q, k)`.',
    call(cx) {
      const pattern = stringArg(cx, 'pattern');
      const by = sizes(cx);
      const operands = cx.positional
        .slice(1)
        .map((given) => (given.value.kind === 'tensor' ? given.value.value : undefined));
      if (operands.length === 0 || !operands.every((v) => v !== undefined)) {
        return fail(cx.scope, 'CROB2201', cx.span, {
          expected: 'tensors behind the pattern of einsum',
          actual: 'something else',
        });
      }
      if (pattern === undefined || !by) return error;
      return patterned({ ...cx, texts: () => cx.texts().slice(1) }, operands, (at) =>
        einsum(at, pattern, operands, by),
      );
    },
  },
  ...(['softmax', 'log_softmax'] as const).map(
    (name): Builtin => ({
      name,
      params: ['x', 'pattern?'],
      docs: `${name === 'softmax' ? 'e^x over its sum' : 'The logarithm of softmax'} along the last axis, or the starred one: \`${name}(x, "b * n")\`.`,
      call(cx) {
        const x = tensorArg(cx, 'x');
        if (!x) return error;
        const pattern = cx.args.has('pattern') ? stringArg(cx, 'pattern') : null;
        if (pattern === undefined) return error;
        return patterned(cx, [x], (at) => alongAxis(at, name, x, pattern));
      },
    }),
  ),
];
