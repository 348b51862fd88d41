import { type Clause, Facts } from '../dims/facts.ts';
import { type AttributeKind, type AttributeValues, attributeKinds } from '../ir/attributes.ts';
import { decodeBase64 } from '../ir/base64.ts';
import type { Graph, GraphInput, GraphOutput, Guard, Init, NodeAttributes, NodeOp, Value } from '../ir/graph.ts';
import { Scanner } from '../ir/scanner.ts';
import { decodeElements, type Encoding, elementCount, tensor } from '../ir/tensor-data.ts';
import type { DType, TensorData, TensorType } from '../ir/types.ts';
import { pairs } from '../lists.ts';
import { Builder } from './builder.ts';

const dtypes: readonly string[] = ['f32', 'i32', 'bool', 'i64', 'u8', 'f16', 'bf16'] satisfies DType[];

/**
 * Parses the text that `print` writes. Types are not checked here; `verify` checks them. Throws an Error that names the
 * line if the text is not valid IR.
 */
export function read(text: string): Graph {
  const lines = text
    .split('\n')
    .map((line, index) => ({ scan: new Scanner(line, index + 1), blank: line.trim() === '' }));
  let name = '';
  let docs = '';
  let facts = Facts.none;
  const guards: Guard[] = [];
  const inputs: GraphInput[] = [];
  const outputs: GraphOutput[] = [];
  const values = new Map<string, Value>();
  const build = new Builder(facts);
  for (const { scan, blank } of lines) {
    if (blank || scan.atEnd()) continue;
    if (scan.take('graph ')) {
      name = scan.string();
      docs = scan.string();
    } else if (scan.take('fact ')) facts = facts.assume(readClause(scan));
    else if (scan.take('guard ')) guards.push(readGuard(scan));
    else if (scan.take('input ')) inputs.push(readPort(scan, values));
    else if (scan.take('output ')) outputs.push(readPort(scan, values));
    else readNode(scan, build, values);
    if (!scan.atEnd()) scan.fail('the end of the line');
  }
  return { name, docs, inputs, outputs, nodes: build.nodes, facts, guards };
}

function readNode(scan: Scanner, build: Builder, values: Map<string, Value>): void {
  const names: string[] = [];
  do names.push(scan.valueName());
  while (scan.take(','));
  scan.expect('=');
  const op = scan.word();
  if (!Object.hasOwn(attributeKinds, op)) scan.fail(`an operator, not ${op}`);
  const inputs: Value[] = [];
  if (scan.take('%')) {
    do inputs.push(values.get(`%${scan.number()}`) ?? scan.fail('a value that is defined above'));
    while (scan.take(', %'));
  }
  const kinds = attributeKinds[op as NodeOp] as Readonly<Record<string, AttributeKind>>;
  const attributes: Record<string, unknown> = {};
  for (const [attribute, kind] of Object.entries(kinds)) {
    scan.expect(`${attribute}=`);
    attributes[attribute] = readers[kind](scan);
  }
  scan.expect(':');
  const types: [TensorType, ...TensorType[]] = [readType(scan)];
  while (scan.take(',')) types.push(readType(scan));
  const comment = scan.comment();
  const colon = comment.indexOf(': ');
  build.origin = {
    span: undefined,
    path: colon < 0 ? comment : comment.slice(0, colon),
    label: colon < 0 ? '' : comment.slice(colon + 2),
  };
  if (names.length !== types.length) scan.fail('one type for each result');
  const results = build.append(op as NodeOp, inputs, attributes as unknown as NodeAttributes[NodeOp], types);
  for (const [name, result] of pairs(names, results)) values.set(name, result);
}

function readPort(scan: Scanner, values: ReadonlyMap<string, Value>): GraphInput & GraphOutput {
  const name = scan.string();
  scan.expect('=');
  const value = values.get(scan.valueName()) ?? scan.fail('a value that is defined above');
  return { name, value, docs: scan.string() };
}

function readType(scan: Scanner): TensorType {
  const dtype = readDType(scan);
  scan.expect('[');
  return { dtype, shape: scan.list(']', () => scan.dim()) };
}

function readDType(scan: Scanner): DType {
  const word = scan.word();
  return dtypes.includes(word) ? (word as DType) : scan.fail(`a dtype, not ${word}`);
}

function readClause(scan: Scanner): Clause {
  const left = scan.dim();
  if (scan.take('==')) return { kind: 'eq', left, right: scan.dim() };
  if (scan.take('<=')) return { kind: 'le', left, right: scan.dim() };
  if (scan.take('<')) return { kind: 'lt', left, right: scan.dim() };
  scan.expect('mod');
  const modulus = scan.number();
  scan.expect('==');
  return { kind: 'mod', value: left, modulus, remainder: scan.number() };
}

function readGuard(scan: Scanner): Guard {
  const text = scan.string();
  const left = scan.dim();
  const relation = (['==', '<=', '<'] as const).find((sign) => scan.take(sign)) ?? '%';
  if (relation === '%') scan.expect('mod');
  const right = scan.dim();
  const span = undefined;
  if (relation !== '%') return { text, left, relation, right, span };
  scan.expect('==');
  return { text, left, relation, right, remainder: scan.number(), span };
}

const readers: { readonly [K in AttributeKind]: (scan: Scanner) => AttributeValues[K] } = {
  dim: (scan) => scan.dim(),
  dims(scan) {
    scan.expect('[');
    return scan.list(']', () => scan.dim());
  },
  number: (scan) => scan.number(),
  numbers: readNumbers,
  boolean(scan) {
    if (scan.take('true')) return true;
    scan.expect('false');
    return false;
  },
  text: (scan) => scan.string(),
  dtype: readDType,
  tensor: readTensor,
  init(scan): Init {
    const name = scan.word();
    scan.expect('(');
    const args = scan.list(')', (): [string, number | number[]] => {
      const argument = scan.word();
      scan.expect('=');
      return [argument, scan.take('[') ? scan.list(']', () => scan.number()) : scan.number()];
    });
    return { name, args: Object.fromEntries(args) };
  },
};

function readNumbers(scan: Scanner): number[] {
  scan.expect('[');
  return scan.list(']', () => scan.number());
}

function readTensor(scan: Scanner): TensorData {
  const dtype = readDType(scan);
  const shape = readNumbers(scan);
  scan.expect('(');
  const encoding = (['u8', 'i32', 'f32', 'f64'] as const).find((name) => scan.take(`${name} `));
  if (encoding !== undefined) return readEncoded(scan, dtype, shape, encoding);
  const elements = scan.list(')', () => scan.number());
  if (elements.length !== elementCount(shape)) scan.fail(`${elementCount(shape)} elements`);
  return tensor(dtype, shape, elements);
}

function readEncoded(scan: Scanner, dtype: DType, shape: readonly number[], encoding: Encoding): TensorData {
  const bytes = decodeBase64(scan.string()) ?? scan.fail('base64');
  scan.expect(')');
  const data = decodeElements(dtype, encoding, bytes);
  if (data.length !== elementCount(shape)) scan.fail(`${elementCount(shape)} elements`);
  return { dtype, shape, data };
}
