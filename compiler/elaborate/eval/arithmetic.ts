import type { Span } from '../../../grammar/span.ts';
import type { BinaryExpr, BinaryOp, Expr, UnaryExpr } from '../../../grammar/tree.ts';
import type { Clause } from '../../dims/clause.ts';
import type { Dim } from '../../dims/dim.ts';
import * as dims from '../../dims/dim.ts';
import { exactQuotient } from '../../dims/division.ts';
import { andThen, type Builder, type Emitted } from '../../graphs/builder.ts';
import type { Value } from '../../ir/graph.ts';
import type { DType } from '../../ir/types.ts';
import type { Val } from '../context/elaborated.ts';
import type { Scope } from '../context/scope.ts';
import { describe } from '../context/show-value.ts';
import { asInt, asNumber, bool, dimVal, error, float, keyOf } from '../context/values.ts';
import { provedQuotient } from '../patterns/quotient.ts';
import { argText, fail, guarded, noNames, settledIn, settlingOf, showType } from '../report/report.ts';

const labels: Record<BinaryOp, string> = {
  '+': 'add',
  '-': 'subtract',
  '*': 'multiply',
  '/': 'divide',
  '%': 'mod',
  '^': 'raise to a power',
  '==': 'compare',
  '!=': 'compare',
  '<': 'compare',
  '<=': 'compare',
  '>': 'compare',
  '>=': 'compare',
  '&&': 'and',
  '||': 'or',
};

export function binary(scope: Scope, expr: BinaryExpr, left: Val, right: Val): Val {
  if (left.kind === 'error' || right.kind === 'error') return error;
  const { op, span } = expr;
  if (left.kind === 'tensor' || right.kind === 'tensor') {
    if (isNone(left) || isNone(right)) {
      if (op === '==' || op === '!=') return bool((left.kind === right.kind) === (op === '=='));
    }
    return tensorBinary(scope, op, left, right, span, () => [text(scope, expr.left), text(scope, expr.right)]);
  }
  if (op === '==' || op === '!=') return equality(scope, op, left, right, span);
  if (left.kind === 'list' && right.kind === 'list' && op === '+') {
    if (left.items.length + right.items.length > sizeLimit) return tooLong(scope, 'list', span);
    return { kind: 'list', items: [...left.items, ...right.items] };
  }
  if (left.kind === 'string' && right.kind === 'string' && op === '+') {
    if (left.value.length + right.value.length > sizeLimit) return tooLong(scope, 'string', span);
    return { kind: 'string', value: left.value + right.value };
  }
  if (left.kind === 'bool' && right.kind === 'bool') {
    if (op === '&&') return bool(left.value && right.value);
    if (op === '||') return bool(left.value || right.value);
  }
  if (left.kind === 'dim' && right.kind === 'dim') return dimBinary(scope, op, left.dim, right.dim, span);
  const a = asNumber(left);
  const b = asNumber(right);
  if (a !== undefined && b !== undefined) return floatBinary(scope, op, a, b, span);
  if ((left.kind === 'dim' && right.kind === 'float') || (left.kind === 'float' && right.kind === 'dim')) {
    // A symbolic dim in float arithmetic becomes a scalar of the graph.
    if (scope.graph) {
      return tensorBinary(scope, op, scalar(scope, left, 'f32', span), right, span, () => [
        text(scope, expr.left),
        text(scope, expr.right),
      ]);
    }
  }
  return fail(scope, 'CROB2216', span, { op, left: describe(left), right: describe(right) });
}

/** The maximum length of a static list or string that is built. */
const sizeLimit = 65_536;

function tooLong(scope: Scope, what: string, span: Span): Val {
  return fail(scope, 'CROB2225', span, { what: `the length of this ${what}`, limit: sizeLimit });
}

function isNone(value: Val): boolean {
  return value.kind === 'none';
}

function text(scope: Scope, expr: Expr): string {
  return argText(scope, expr);
}

function equality(scope: Scope, op: '==' | '!=', left: Val, right: Val, span: Span): Val {
  if (left.kind === 'dim' && right.kind === 'dim') {
    const difference = dims.asConstant(dims.sub(left.dim, right.dim));
    if (difference !== undefined) return bool((difference === 0) === (op === '=='));
    if (scope.facts.proves({ kind: 'eq', left: left.dim, right: right.dim })) return bool(op === '==');
    const apart =
      scope.facts.proves({ kind: 'lt', left: left.dim, right: right.dim }) ||
      scope.facts.proves({ kind: 'lt', left: right.dim, right: left.dim });
    if (apart) return bool(op === '!=');
    return fail(scope, 'CROB2203', span, {
      dim: scope.facts.show(dims.asConstant(left.dim) === undefined ? left.dim : right.dim),
    });
  }
  const a = asNumber(left);
  const b = asNumber(right);
  if (a !== undefined && b !== undefined) return bool((a === b) === (op === '=='));
  return bool((keyOf(left) === keyOf(right)) === (op === '=='));
}

function multiplied(scope: Scope, a: Dim, b: Dim, span: Span): Val {
  return a.terms.length * b.terms.length > dims.mostTerms
    ? fail(scope, 'CROB2225', span, { what: 'the number of terms in this product', limit: dims.mostTerms })
    : dimVal(dims.mul(a, b));
}

function raised(scope: Scope, a: Dim, exponent: number, span: Span): Val {
  let result: Val = dimVal(dims.power(a, 0));
  for (let i = 0; i < exponent && result.kind === 'dim'; i++) result = multiplied(scope, result.dim, a, span);
  return result;
}

function dimBinary(scope: Scope, op: BinaryOp, a: Dim, b: Dim, span: Span): Val {
  const x = dims.asConstant(a);
  const y = dims.asConstant(b);
  switch (op) {
    case '+':
      return dimVal(dims.add(a, b));
    case '-':
      return dimVal(dims.sub(a, b));
    case '*':
      return multiplied(scope, a, b, span);
    case '^':
      if (y !== undefined && y >= 0 && y <= 64) return raised(scope, a, y, span);
      if (x !== undefined && y !== undefined) return fail(scope, 'CROB2202', span, { left: x, right: y, op: '^' });
      return y === undefined
        ? fail(scope, 'CROB2216', span, { op, left: 'a dim', right: 'a symbolic exponent' })
        : fail(scope, 'CROB2225', span, { what: 'the exponent of a dim', limit: 64 });
    case '/': {
      if (y === 0) return fail(scope, 'CROB2216', span, { op, left: scope.facts.show(a), right: '0' });
      if (x !== undefined && y !== undefined) {
        return x % y === 0
          ? dimVal(dims.constant(x / y))
          : fail(scope, 'CROB2202', span, { left: x, right: y, op: '/' }, { help: quotientHelp(x, y) });
      }
      const exact = exactQuotient(a, b);
      if (exact) return dimVal(exact);
      if (y !== undefined && y > 0) {
        const answer = scope.facts.divides(y, a);
        if (answer.answer === 'proved') return dimVal(dims.floorDiv(a, y));
        const shown = inBrackets(scope.facts.show(a));
        const whole: Clause = { kind: 'mod', value: a, modulus: y, remainder: 0 };
        const { help, needs } = settledIn(scope, settlingOf(scope.facts, whole) ?? [whole]);
        const rounded = `write floor(${shown}/${y}) or ceil(${shown}/${y})`;
        const at =
          answer.answer === 'refuted'
            ? [`not a whole number at ${[...answer.witness].map(([n, v]) => `${n} = ${v}`).join(', ')}`]
            : [];
        return fail(
          scope,
          'CROB2107',
          span,
          { left: shown, right: y },
          {
            details: at,
            help: help === undefined ? rounded : `${help}, or ${rounded}`,
            needs,
          },
        );
      }
      const proved = provedQuotient(scope.facts, a, b);
      if (proved) return dimVal(proved);
      return fail(scope, 'CROB2107', span, {
        left: inBrackets(scope.facts.show(a)),
        right: inBrackets(scope.facts.show(b)),
      });
    }
    case '%':
      if (y !== undefined && y > 0) return dimVal(dims.mod(a, y));
      return fail(scope, 'CROB2216', span, {
        op,
        left: 'a dim',
        right: y === undefined ? 'a symbolic modulus' : String(y),
      });
    case '<':
    case '<=':
    case '>':
    case '>=': {
      const [lo, hi] = op === '<' || op === '<=' ? [a, b] : [b, a];
      const strict = op === '<' || op === '>';
      // Fast path: most comparisons are of two ints.
      const difference = dims.asConstant(dims.sub(hi, lo));
      if (difference !== undefined) return bool(strict ? difference > 0 : difference >= 0);
      if (scope.facts.proves({ kind: strict ? 'lt' : 'le', left: lo, right: hi })) return bool(true);
      if (scope.facts.proves({ kind: strict ? 'le' : 'lt', left: hi, right: lo })) return bool(false);
      return fail(scope, 'CROB2203', span, { dim: scope.facts.show(x === undefined ? a : b) });
    }
    default:
      return fail(scope, 'CROB2216', span, { op, left: 'a dim', right: 'a dim' });
  }
}

function inBrackets(sum: string): string {
  return /[-+ ]/.test(sum) ? `(${sum})` : sum;
}

function quotientHelp(x: number, y: number): string {
  return `write ${x}.0/${y} for the fraction, or floor(${x}/${y}) or ceil(${x}/${y}) for a whole number`;
}

function floatBinary(scope: Scope, op: BinaryOp, a: number, b: number, span: Span): Val {
  switch (op) {
    case '+':
      return float(a + b);
    case '-':
      return float(a - b);
    case '*':
      return float(a * b);
    case '/':
      return b === 0 ? fail(scope, 'CROB2216', span, { op, left: String(a), right: '0' }) : float(a / b);
    case '^':
      return float(a ** b);
    case '%':
      return float(a - b * Math.floor(a / b));
    case '<':
      return bool(a < b);
    case '<=':
      return bool(a <= b);
    case '>':
      return bool(a > b);
    case '>=':
      return bool(a >= b);
    default:
      return fail(scope, 'CROB2216', span, { op, left: `the float ${a}`, right: `the float ${b}` });
  }
}

/**
 * Returns a number or dim as a scalar tensor of the given dtype (numbers and dims are weakly typed); other tensors
 * unchanged.
 */
export function scalar(scope: Scope, value: Val, dtype: DType, span: Span): Val {
  if (value.kind === 'tensor' || value.kind === 'error') return value;
  const number = asNumber(value);
  if (number !== undefined) {
    if (dtype === 'i32' && !Number.isInteger(number))
      return fail(scope, 'CROB2201', span, { expected: 'an int', actual: describe(value) });
    if (dtype === 'i32' && Math.abs(number) >= 2 ** 31)
      return fail(scope, 'CROB2201', span, {
        expected: 'an int below 2^31, which i32 can hold',
        actual: describe(value),
      });
    if (dtype !== 'bool')
      return guarded(scope, span, '', noNames, (build) =>
        build.tryEmit('full', [], { value: number, dtype, shape: [] }),
      );
  }
  if (value.kind === 'dim' && dtype !== 'bool') {
    return guarded(scope, span, '', noNames, (build) => {
      const at = build.tryEmit('dim', [], { value: value.dim });
      return dtype === 'i32' ? at : andThen(at, (size) => build.tryEmit('cast', [size], { dtype }));
    });
  }
  if (value.kind === 'bool' && dtype === 'bool')
    return guarded(scope, span, '', noNames, (build) =>
      build.tryEmit('full', [], { value: value.value ? 1 : 0, dtype: 'bool', shape: [] }),
    );
  return fail(scope, 'CROB2201', span, { expected: `a number or an ${dtype} tensor`, actual: describe(value) });
}

function tensorBinary(
  scope: Scope,
  op: BinaryOp,
  left: Val,
  right: Val,
  span: Span,
  names: () => readonly string[],
): Val {
  const dtype =
    left.kind === 'tensor' ? left.value.type.dtype : right.kind === 'tensor' ? right.value.type.dtype : 'f32';
  if (op === '^') {
    const n = asInt(right);
    if (left.kind === 'tensor' && n === 2)
      return guarded(scope, span, 'square', names, (build) => build.tryEmit('mul', [left.value, left.value], {}));
    const exponent = asNumber(right);
    if (left.kind === 'tensor' && exponent !== undefined && dtype === 'f32') {
      return guarded(scope, span, 'power', names, (build) =>
        andThen(build.tryEmit('full', [], { value: exponent, dtype: 'f32', shape: [] }), (by) =>
          build.tryEmit('pow', [left.value, by], {}),
        ),
      );
    }
  }
  const a = scalar(scope, left, dtype, span);
  const b = scalar(scope, right, dtype, span);
  if (a.kind !== 'tensor' || b.kind !== 'tensor') return error;
  if (a.value.type.dtype !== b.value.type.dtype) {
    return fail(
      scope,
      'CROB2103',
      span,
      { what: labels[op], left: showType(a.value.type, scope.facts), right: showType(b.value.type, scope.facts) },
      {
        help: `convert one: ${a.value.type.dtype}(${names()[1]}) or ${b.value.type.dtype}(${names()[0]})`,
      },
    );
  }
  return guarded(scope, span, labels[op], names, (build) => emitBinary(build, op, a.value, b.value));
}

const binaryOps = {
  '+': 'add',
  '-': 'sub',
  '*': 'mul',
  '/': 'div',
  '%': 'mod',
  '^': 'pow',
  '==': 'eq',
  '<': 'lt',
  '<=': 'le',
  '&&': 'and',
  '||': 'or',
} as const;
export type WrittenWithSign = (typeof binaryOps)[keyof typeof binaryOps];

function emitBinary(build: Builder, op: BinaryOp, a: Value, b: Value): Emitted {
  switch (op) {
    case '!=':
      return andThen(build.tryEmit('eq', [a, b], {}), (same) => build.tryEmit('not', [same], {}));
    case '>':
      return build.tryEmit('lt', [b, a], {});
    case '>=':
      return build.tryEmit('le', [b, a], {});
    default:
      return build.tryEmit(binaryOps[op], [a, b], {});
  }
}

export function unary(scope: Scope, { op, span, operand: from }: UnaryExpr, operand: Val): Val {
  switch (operand.kind) {
    case 'error':
      return error;
    case 'dim':
      if (op === '-') return dimVal(dims.negate(operand.dim));
      break;
    case 'float':
      if (op === '-') return float(-operand.value);
      break;
    case 'bool':
      if (op === '!') return bool(!operand.value);
      break;
    case 'tensor':
      return guarded(
        scope,
        span,
        op === '-' ? 'negate' : 'not',
        () => [text(scope, from)],
        (build) => build.tryEmit(op === '-' ? 'neg' : 'not', [operand.value], {}),
      );
    default:
      break;
  }
  return fail(scope, 'CROB2201', span, {
    expected: op === '-' ? 'a number or a tensor' : 'a bool',
    actual: describe(operand),
  });
}

/** Evaluates `floor(a/k)` and `ceil(a/k)` for dims, i32 tensors or floats, depending on both operands. */
export function roundedQuotient(scope: Scope, name: 'floor' | 'ceil', expr: BinaryExpr, left: Val, right: Val): Val {
  if (left.kind === 'error' || right.kind === 'error') return error;
  if (left.kind === 'dim' && right.kind === 'dim') {
    const k = dims.asConstant(right.dim);
    if (k !== undefined && k > 0)
      return dimVal(name === 'floor' ? dims.floorDiv(left.dim, k) : dims.ceilDiv(left.dim, k));
    return fail(scope, 'CROB2216', expr.span, {
      op: name,
      left: 'a dim',
      right: k === undefined ? 'a symbolic divisor' : String(k),
    });
  }
  const dtype =
    left.kind === 'tensor' ? left.value.type.dtype : right.kind === 'tensor' ? right.value.type.dtype : undefined;
  if (dtype === 'i32') {
    const a = scalar(scope, left, 'i32', expr.span);
    const b = scalar(scope, right, 'i32', expr.span);
    if (a.kind !== 'tensor' || b.kind !== 'tensor') return error;
    return guarded(scope, expr.span, name, noNames, (build) =>
      name === 'floor'
        ? build.tryEmit('floordiv', [a.value, b.value], {})
        : andThen(build.tryEmit('floordiv', [build.neg(a.value), b.value], {}), (down) =>
            build.tryEmit('neg', [down], {}),
          ),
    );
  }
  return rounded(scope, name, binary(scope, expr, left, right), expr.span);
}

export function rounded(scope: Scope, name: 'floor' | 'ceil', value: Val, span: Span): Val {
  if (value.kind === 'dim' || value.kind === 'error') return value;
  if (value.kind === 'float')
    return dimVal(dims.constant(name === 'floor' ? Math.floor(value.value) : Math.ceil(value.value)));
  if (value.kind === 'tensor') {
    return guarded(scope, span, name, noNames, (build) =>
      name === 'floor'
        ? build.tryEmit('floor', [value.value], {})
        : andThen(build.tryEmit('neg', [value.value], {}), (up) =>
            andThen(build.tryEmit('floor', [up], {}), (down) => build.tryEmit('neg', [down], {})),
          ),
    );
  }
  return fail(scope, 'CROB2201', span, { expected: `a number for ${name}`, actual: describe(value) });
}
