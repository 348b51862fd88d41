// Adds an element-wise operator: an entry in every table that has one for each operator.
import { camel, Refusal, requireSnake } from './checkout.mjs';

const kinds = {
  unary: {
    names: 'UnaryAttributes',
    rows: 'ops/unary',
    parameters: 'x: Value',
    operands: 'x',
    applied: (method) => `(b, s) => b.${method}(s)`,
    fault: "unary('float')",
    arguments: '[x: number, y: number]',
    example: { title: '%d gives %d', parameters: 'x, y', inputs: '[number(x)]' },
  },
  binary: {
    names: 'BinaryAttributes',
    rows: 'ops/binary',
    parameters: 'a: Value, b: Value',
    operands: 'a, b',
    applied: (method) => `(b, s) => b.${method}(s, b.neg(s))`,
    fault: 'floatOnly',
    arguments: '[a: number, b: number, y: number]',
    example: { title: '%d and %d give %d', parameters: 'a, b, y', inputs: '[number(a), number(b)]' },
  },
};

export function operator(checkout, name, options) {
  requireSnake(name);
  const isUnary = options.kind === 'unary';
  const kind = kinds[options.kind];
  const taken = checkout.names('compiler/ir/attributes.ts', 'attributeKinds');
  if (taken.includes(name)) throw new Refusal(`there is an operator ${name}`);
  const use = usedFor(checkout, name);
  if (use !== undefined) throw new Refusal(`\`${name}\` is ${use}`);
  const last = checkout.names('compiler/ir/names.ts', kind.names).at(-1);
  const method = camel(name);
  const lastMethod = camel(last);
  const table = (rest) => `${options.kind}${rest}`;
  const insert = (file, container, line, after = last) => checkout.insert(file, container, line, after);
  const lowering = (fn) => `${name}: ${options.kind}(${fn === undefined ? 'FILL_IN' : `'${fn}'`}),`;

  insert('compiler/ir/names.ts', kind.names, `  readonly ${name}: None;`);
  insert('compiler/ir/attributes.ts', 'attributeKinds', `${name}: {},`);
  insert(`compiler/${kind.rows}.ts`, table('Rows'), rowOf(name, isUnary));
  insert('compiler/graphs/builder.ts', 'Builder', methodOf(name, method, kind), lastMethod);
  insert('compiler/graphs/value-range.ts', 'rangeRules', `${name}: unknown,`);
  insert(`compiler/gradients/${options.kind}.ts`, table('Gradients'), gradientOf(name, isUnary));
  insert('compiler/emit/onnx/elementwise.ts', 'elementwise', lowering(options.onnx));
  insert('compiler/emit/tfjs/elementwise.ts', 'elementwise', lowering(options.tfjs));
  const builtins = 'compiler/elaborate/eval/builtins/elementwise.ts';
  if (isUnary) checkout.insert(builtins, 'functions', `${name}: { docs: FILL_IN, ofNumber: FILL_IN },`);
  else checkout.insert(builtins, 'pairFunctions', `${name}: { docs: FILL_IN, ofNumbers: FILL_IN },`);

  checkout.create(`test/ops/${name.replaceAll('_', '-')}.test.ts`, testOf(name, kind));
  insert('test/ops/faults.test.ts', 'faults', `${name}: ${kind.fault},`);
  insert('test/runtime/training/in-place.test.ts', 'uses', `${name}: [${kind.applied(method)}],`);
  insert('test/fuzz/compare/lanes.ts', 'roundings', `${name}: FILL_IN,`);
  if (isUnary) {
    checkout.insert('test/fuzz/meaning/tensors.ts', 'curves', `${name}: { value: FILL_IN, slope: FILL_IN },`);
    checkout.insert('test/fuzz/draw/rules/pointwise.ts', 'drawnFor', `${name}: FILL_IN,`);
  } else {
    checkout.insert('test/fuzz/meaning/tensors.ts', 'binaries', `${name}: { value: FILL_IN, slope: FILL_IN },`);
    checkout.insert('test/fuzz/draw/rules/pointwise.ts', 'drawnForPairs', `${name}: FILL_IN,`);
    checkout.insert('test/fuzz/program/print.ts', 'binaryTexts', `${name}: called('${name}'),`);
  }
  const torch = 'test/fuzz/pytorch/operators.py';
  if (checkout.has(torch)) inPython(checkout, torch, name, last, options.torch ?? 'FILL_IN');
  inReadme(checkout, taken.length - 1);
  return {
    notes: [
      `Fill in what \`npm run types\` lists${options.torch === undefined ? `, and FILL_IN in ${torch}` : ''}. Then:`,
      ...(isUnary
        ? []
        : [
            '  where ONNX or TensorFlow.js have no such operator, write a Lowering in place of binary(…), as floordiv has',
          ]),
      '  npx vitest run test/ops test/gradients test/passes/kinds.test.ts test/emit/onnx/conformance.test.ts test/emit/tfjs/conformance.test.ts',
      '  npx vitest run test/docs -u    # operators.md and builtins.md, from its row and its built-in function',
      'Where it has no derivative somewhere, its gradient says so in `kinks`, and test/gradients/kinks.ts has what PyTorch gives there.',
    ],
  };
}

/** Returns what already has this name in sources, if anything. */
function usedFor(checkout, name) {
  if (checkout.text('docs/builtins.md').includes(`\`${name}(`)) return 'a built-in function';
  if (new RegExp(`'${name}'`).test(checkout.text('grammar/tokens.ts'))) return 'a word of the language';
  const file = checkout
    .list('stdlib')
    .find((one) => new RegExp(`^fn ${name}\\b`, 'm').test(checkout.text(`stdlib/${one}`)));
  return file && `a function of std.${file.replace('.crob', '')}, which would have to go`;
}

function rowOf(name, isUnary) {
  const rest = isUnary ? 'flops: 1,' : "gives: 'same',\n draws: [[floats, floats]],";
  return `${name}: row('${name}', {
    docs: FILL_IN,
    takes: 'float',
    f: FILL_IN,
    memory: 'alone',
    ${rest}
  }),`;
}

function methodOf(name, method, { parameters, operands }) {
  return `  ${method}(${parameters}): Value {
    return this.one('${name}', [${operands}], {});
  }`;
}

function gradientOf(name, isUnary) {
  return isUnary
    ? `${name}: { gradient: ofOne(({ build, x, y, dy }) => FILL_IN) },`
    : `${name}: { gradient: ofTwo(({ build, a, b, y, dy, to }) => [() => to(a, FILL_IN), () => to(b, FILL_IN)]) },`;
}

function testOf(name, kind) {
  const { title, parameters, inputs } = kind.example;
  return `import { expect, test } from 'vitest';
import { tensor } from '../../compiler/ir/tensor-data.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { ops } from '../../compiler/ops/table.ts';

const number = (x: number): TensorData => tensor('f32', [], [x]);

// By hand or from PyTorch: ordinary numbers, kinks, infinities, NaN.
const values: readonly ${kind.arguments}[] = FILL_IN;

test.each(values)('${name}: ${title}', (${parameters}) => {
  const [result] = ops.${name}.reference(${inputs}, {});
  if (Number.isFinite(y)) expect(result?.data[0]).toBeCloseTo(y, 12);
  else expect(result?.data[0]).toBe(y);
});
`;
}

function inPython(checkout, file, name, last, torch) {
  const entry = new RegExp(`^    "${last}": .*\\n`, 'm');
  if (!entry.test(checkout.text(file))) throw new Error(`${file} has no ${last}`);
  checkout.replace(file, entry, (line) => `${line}    "${name}": element(${torch}),\n`);
}

/** Updates the number of operators in the README. */
function inReadme(checkout, count) {
  checkout.replace('README.md', /^- \d+ operators, each/m, () => `- ${count} operators, each`);
}
