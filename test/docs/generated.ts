import { definitionOf } from '../../compiler/definitions/table.ts';
import type { Builtin } from '../../compiler/elaborate/eval/builtins/builtin.ts';
import { elementwise } from '../../compiler/elaborate/eval/builtins/elementwise.ts';
import { network } from '../../compiler/elaborate/eval/builtins/network.ts';
import { patternBuiltins } from '../../compiler/elaborate/eval/builtins/patterns.ts';
import { gradientRowOf } from '../../compiler/gradients/table.ts';
import { attributeKinds } from '../../compiler/ir/attributes.ts';
import { initialisers } from '../../compiler/ir/initialisers.ts';
import type { OpName } from '../../compiler/ir/names.ts';
import { binaryRows } from '../../compiler/ops/binary.ts';
import { compositeRows } from '../../compiler/ops/composite.ts';
import { contractRows } from '../../compiler/ops/contract.ts';
import { dataRows } from '../../compiler/ops/data.ts';
import { reduceRows } from '../../compiler/ops/reduce.ts';
import type { OpRow } from '../../compiler/ops/row.ts';
import { opNames } from '../../compiler/ops/table.ts';
import { unaryRows } from '../../compiler/ops/unary.ts';
import { cell, made } from './declarations.ts';

/** `docs/builtins.md`: the functions and initialisers that the language has from the start. */
export function builtinsPage(): string {
  const rows = (all: readonly Builtin[]) =>
    all.map((one) => `| \`${one.name}(${parametersOf(one)})\` | ${cell(one.docs)} |`).join('\n');
  const inits = Object.entries(initialisers).map(([name, { arguments: args, docs }]) => {
    const given = args.map((arg) => (arg.default === undefined ? arg.name : `${arg.name} = ${arg.default}`));
    return `| \`${name}${given.length === 0 ? '' : `(${given.join(', ')})`}\` | ${cell(docs)} |`;
  });
  return `# Built-in functions

These functions need no \`use\` and are not part of the library. ${made('`compiler/elaborate/eval/builtins`')} The language reference documents
[operators such as \`+\` and indexing](language.md#expressions), and [patterns](language.md#patterns); layers are in the [library](library.md).

\`?\` marks an optional argument, \`…\` any number of arguments.

## Patterns

| | |
| --- | --- |
${rows(patternBuiltins)}

## Element by element

| | |
| --- | --- |
| \`floor(x)\`, \`ceil(x)\` | Rounds down or up. \`floor(a/k)\` and \`ceil(a/k)\` divide dims and i32 tensors by a whole number. |
${rows(elementwise)}

## Networks, indices, static values

| | |
| --- | --- |
${rows(network)}

## Initialisers

They stand behind \`~\` of a \`param\`, in a parameter of type \`init\`, and in its arguments.

| | |
| --- | --- |
${inits.join('\n')}
`;
}

function parametersOf({ params, rest, variadic }: Builtin): string {
  const all: string[] = [...params];
  if (variadic === true) all.push('…');
  if (rest !== undefined) all.push(`name = …`);
  return all.join(', ');
}

const operatorGroups: readonly (readonly [string, Readonly<Record<string, OpRow<never>>>])[] = [
  ['Data', dataRows],
  ['Unary', unaryRows],
  ['Binary', binaryRows],
  ['Reductions', reduceRows],
  ['Contractions', contractRows],
  ['Composites', compositeRows],
] as never;

/** `docs/operators.md`: the rows of the operator table. */
export function operatorsPage(): string {
  const groups = operatorGroups.map(([title, rows]) => {
    const entries = Object.values(rows).map((row) => operator(row as unknown as OpRow<OpName>));
    return `## ${title}\n\n${entries.join('\n')}`;
  });
  return `# Operators

Every graph consists of these ${opNames.length} operators, and every target must support all of them. You do not write them in \`.crob\` directly: the
[built-in functions](builtins.md) and the [library](library.md) use them. \`crobc build --print-after\` shows graphs in this notation.
${made('`compiler/ops`')}

Each operator has arguments, static attributes (after the \`;\`), and numbered constraints that are proved for all sizes before a graph exists.
Axes count from 0. The row of an operator in \`compiler/ops\` also has its shape rule, its cost, and a reference implementation in float64,
against which every target is tested; its gradient is in \`compiler/gradients\`. If there is no derivative, or no finite one, the gradient is
PyTorch's, and is documented with the operator. A composite operator also has a definition by other operators; a target implements it
natively or by this definition.

${groups.join('\n')}`;
}

function operator(row: OpRow<OpName>): string {
  const attributes = Object.keys(attributeKinds[row.name]);
  const signature = [row.inputs.join(', '), attributes.join(', ')].filter((part) => part !== '').join('; ');
  const constraints = row.constraints.map((text, i) => `${i + 1}. ${text}`).join('\n');
  const composite = definitionOf(row.name) === undefined ? '' : ' *Has a definition in other operators.*';
  const { kinks } = gradientRowOf(row.name);
  const atKinks = kinks === undefined ? '' : `\n\nGradient at kinks and ties: ${kinks}`;
  return `### ${row.name}\n\n\`${row.name}(${row.inputs.length === 0 && attributes.length > 0 ? `; ${signature}` : signature})\`\n\n${row.docs}${composite}${atKinks}\n\n${constraints}${constraints === '' ? '' : '\n'}`;
}
