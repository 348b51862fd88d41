// Adds a pass over the whole graph. Local rewrites are rules, in a file with rules on
// the same subject (compiler/passes/rule.ts).
import { camel, Refusal } from './checkout.mjs';

export function pass(checkout, name) {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new Refusal(`a pass is called in small letters with hyphens, as in merge-slices; not \`${name}\``);
  const pipeline = 'compiler/passes/pipeline.ts';
  if (checkout.text(pipeline).includes(`name: '${name}'`)) throw new Refusal(`there is a pass ${name}`);
  const fn = camel(name);
  checkout.create(`compiler/passes/${name}.ts`, passOf(fn));
  checkout.create(`test/passes/${name}.test.ts`, testOf(name, fn));
  checkout.replace(pipeline, /^import /m, (word) => `import { ${fn} } from './${name}.ts';\n${word}`);
  checkout.replace(
    pipeline,
    /^ {2}\{ name: 'round-constants'/m,
    (line) => `  { name: '${name}', keeps: 'values', run: ${fn} },\n${line}`,
  );
  return {
    notes: [
      'Fill in what `npm run types` lists. It runs last of the rounds, and not before gradients are made: where it keeps them at kinks and',
      "ties as well, say keeps: 'gradients'. What looks at one node and its operands is a rule instead (compiler/passes/rule.ts). Then:",
      `  npx vitest run test/passes/${name}.test.ts test/passes/fuzz.test.ts test/passes/models.test.ts`,
      '  npm run build && npx vitest run test/docs -u    # the list of passes in cli.md',
    ],
  };
}

function passOf(fn) {
  return `import { rewrite } from '../graphs/rebuild.ts';
import type { Graph } from '../ir/graph.ts';

/** What it makes of what, and what that saves. The graph itself where there is nothing to do. */
export function ${fn}(graph: Graph): Graph {
  return rewrite(graph, (node, inputs, build) => FILL_IN);
}
`;
}

function testOf(name, fn) {
  return `import { expect, test } from 'vitest';
import { read } from '../../compiler/graphs/read.ts';
import { verify } from '../../compiler/graphs/verify.ts';
import { print } from '../../compiler/ir/print.ts';
import { ${fn} } from '../../compiler/passes/${name}.ts';
import { expectSameResults } from './equivalence.ts';

/** Graphs as \`crobc build --print-after\` prints them. */
const before: string = FILL_IN;
const after: string = FILL_IN;

test('what ${name} makes', () => {
  const graph = read(before);
  const made = ${fn}(graph);
  expect(print(made)).toBe(print(read(after)));
  expect(verify(made)).toEqual([]);
  expectSameResults(graph, made, 1, new Map());
  expect(${fn}(made)).toBe(made);
});
`;
}
