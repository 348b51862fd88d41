// Adds a module to the library: its source with an example, and a test of its values.
import { Refusal } from './checkout.mjs';

export function module(checkout, path) {
  const [file, name, ...more] = path.split('.');
  if (name === undefined || more.length > 0 || !/^[a-z][a-z0-9_]*$/.test(file) || !/^[A-Z][A-Za-z0-9]*$/.test(name))
    throw new Refusal(`a module is named with its file, as in pooling.BlurPool; not \`${path}\``);
  const source = `stdlib/${file}.crob`;
  const declared = new RegExp(`^(module|model|interface|fn) ${name}\\b`, 'm');
  for (const other of checkout.list('stdlib'))
    if (declared.test(checkout.text(`stdlib/${other}`)))
      throw new Refusal(`std.${other.replace('.crob', '')} has ${name}`);
  const skeleton = moduleOf(name);
  if (checkout.has(source)) checkout.append(source, `\n${skeleton}`);
  else checkout.create(source, `/// FILL_IN: what this file has.\n\n${skeleton}`);
  const test = `test/stdlib/${name.replace(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase()}.test.ts`;
  checkout.create(test, testOf(file, name));
  return {
    notes: [
      `Fill in ${source}, of which \`npx crobc check ${source}\` lists what is missing, and ${test}: parameters, shapes and names of weights as published,`,
      'and results of PyTorch. Then:',
      `  npx crobc fmt ${source} && npx vitest run ${test} test/docs/generated.test.ts -u    # library.md, from its source`,
      '  npm run build    # the syntax trees of the library go with the program',
    ],
  };
}

function moduleOf(name) {
  return `/// FILL_IN: what it computes, with the paper or the code that it is from.
module ${name}(dim: int) {
  forward(x: f32[B, dim, H, W]) -> f32[B, dim, H, W] = FILL_IN
}

example ${name}(8)
`;
}

function testOf(file, name) {
  return `import { expect, test } from 'vitest';
import { compile } from '../../compiler/compile.ts';
import { interpret } from '../../compiler/graphs/interpret.ts';
import type { TensorData } from '../../compiler/ir/types.ts';
import { memoryHost } from '../memory-host.ts';
import { relativeError } from './goldens.ts';

const source = \`
use std.${file}.{${name}}

model Net {
  part = ${name}(2)
  input x: f32[B, 2, H, W]
  output y = part(x)
}
\`;

/** From PyTorch: an input, the weights by their paths, and what it gives. */
const x: TensorData = FILL_IN;
const weights: Readonly<Record<string, TensorData>> = FILL_IN;
const expected: TensorData = FILL_IN;

test('${name} gives what PyTorch gives', () => {
  const { graph, diagnostics } = compile(memoryHost({ 'net.crob': source }), 'net.crob', {
    model: 'Net',
    dims: new Map(),
    overrides: [],
  });
  expect(diagnostics).toEqual([]);
  const outputs = interpret(graph!, new Map([['x', x]]), (path) => weights[path]!);
  expect(relativeError(outputs.get('y')!, expected)).toBeLessThan(1e-6);
});
`;
}
