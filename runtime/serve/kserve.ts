import type { PortDType } from '../../compiler/ir/types.ts';
import { isCount, isObject, isText } from '../files/json.ts';
import { parseJson } from '../files/parse-json.ts';
import { shownValue } from '../files/shown.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import { RequestFault } from './request-fault.ts';

/** Types of tensors by the names of KServe's v2 protocol (Open Inference Protocol). */
export const datatypes = {
  f32: 'FP32',
  f16: 'FP16',
  i32: 'INT32',
  i64: 'INT64',
  u8: 'UINT8',
  bool: 'BOOL',
} as const satisfies Readonly<Record<PortDType, string>>;

/** The header that holds the length of the JSON where binary data follow it. */
export const headerLength = 'inference-header-content-length';

/** A request of `POST /v2/models/{name}/infer`. */
export interface InferRequest {
  readonly id: string | undefined;
  readonly feeds: Feeds;
  /** The outputs that are asked for, and whether each is to be binary; undefined for all, as JSON. */
  readonly outputs: readonly WantedOutput[] | undefined;
  /** Whether outputs of which nothing is said are binary. */
  readonly binary: boolean;
}

export interface WantedOutput {
  readonly name: string;
  readonly binary: boolean | undefined;
}

function bad(message: string): RequestFault {
  return new RequestFault(400, message);
}

/**
 * Reads a request: JSON, or, if `jsonBytes` is given, JSON of that length with binary tensors behind it. Throws a
 * RequestFault.
 */
export function readInferRequest(body: Uint8Array, jsonBytes: number | undefined): InferRequest {
  if (jsonBytes !== undefined && jsonBytes > body.length)
    throw bad(`${headerLength} is ${jsonBytes}, and the body has ${body.length} bytes`);
  const json = jsonOf(jsonBytes === undefined ? body : body.subarray(0, jsonBytes));
  const rest = jsonBytes === undefined ? new Uint8Array() : body.subarray(jsonBytes);
  const { id, parameters, inputs, outputs } = json;
  if (id !== undefined && !isText(id)) throw bad('"id" is not a text');
  const entries: unknown = inputs;
  if (!Array.isArray(entries)) throw bad('"inputs" is not a list of tensors');
  const feeds: Record<string, HostTensor> = {};
  let at = 0;
  for (const entry of entries as readonly unknown[]) {
    if (!isObject(entry) || !isText(entry.name)) throw bad('an entry of "inputs" is not a tensor with a "name"');
    const { name } = entry;
    if (Object.hasOwn(feeds, name)) throw bad(`the input ${name} is there twice`);
    const size = binarySize(entry);
    feeds[name] = readTensor(name, entry, size === undefined ? undefined : rest.subarray(at, at + size), body.length);
    at += size ?? 0;
  }
  if (at !== rest.length) throw bad(`the inputs have ${at} bytes of binary data, and ${rest.length} were sent`);
  return {
    id,
    feeds,
    outputs: outputs === undefined ? undefined : wantedOutputs(outputs),
    binary: isObject(parameters) && parameters.binary_data_output === true,
  };
}

/** Parses the body of a request as a JSON object. Throws a RequestFault. */
export function jsonOf(bytes: Uint8Array): Record<string, unknown> {
  let json: unknown;
  try {
    json = parseJson(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw bad('the body is not JSON in UTF-8');
  }
  if (!isObject(json)) throw bad('the body is not a JSON object');
  return json;
}

function binarySize({ name, parameters }: Record<string, unknown>): number | undefined {
  if (!isObject(parameters) || parameters.binary_data_size === undefined) return undefined;
  const size = parameters.binary_data_size;
  if (!isCount(size)) throw bad(`binary_data_size of ${String(name)} is not a number of bytes`);
  return size;
}

function readTensor(
  name: string,
  entry: Record<string, unknown>,
  binary: Uint8Array | undefined,
  bodyBytes: number,
): HostTensor {
  const { datatype, shape, data } = entry;
  const dtype = dtypeOf(datatype);
  if (!dtype)
    throw bad(
      `the input ${name} has the datatype ${shownValue(datatype)}; there are ${Object.values(datatypes).join(', ')}`,
    );
  if (!Array.isArray(shape) || !shape.every(isCount))
    throw bad(`the shape of the input ${name} is not a list of sizes`);
  const sizes: readonly number[] = shape;
  const count = sizes.reduce((product, size) => product * size, 1);
  if (binary) {
    if (data !== undefined) throw bad(`the input ${name} has "data" and binary_data_size`);
    return { dtype, shape: sizes, data: fromBytes(name, dtype, binary, count) };
  }
  if (dtype === 'f16') throw bad(`the input ${name} is FP16, which has no form in JSON: send it as binary data`);
  if (!Array.isArray(data)) throw bad(`the "data" of the input ${name} is not a list`);
  // An element takes a digit and a comma.
  if (count > bodyBytes) throw bad(`the shape of the input ${name} has more elements than were sent`);
  const numbers = new Float64Array(count);
  const filled = flatten(name, data, sizes, numbers, dtype);
  if (filled !== count) throw bad(`the input ${name} has ${filled} elements, and its shape ${count}`);
  return { dtype, shape: sizes, data: asElements(dtype, numbers) };
}

function dtypeOf(datatype: unknown): PortDType | undefined {
  for (const [dtype, name] of Object.entries(datatypes)) if (name === datatype) return dtype as PortDType;
  return undefined;
}

/** Writes the numbers of a flat or a nested list, row by row; returns how many there were. */
function flatten(
  name: string,
  data: readonly unknown[],
  shape: readonly number[],
  into: Float64Array,
  dtype: PortDType,
): number {
  let at = 0;
  const walk = (items: readonly unknown[], axis: number): void => {
    const nested = Array.isArray(items[0]);
    if (nested && items.length !== shape[axis])
      throw bad(
        `the "data" of the input ${name} has ${items.length} lists along axis ${axis}, and its shape ${shape[axis]}`,
      );
    if (!nested && axis > 0 && (axis !== shape.length - 1 || items.length !== shape[axis]))
      throw bad(`the "data" of the input ${name} is nested otherwise than its shape`);
    for (const item of items) {
      if (nested) {
        if (!Array.isArray(item) || axis + 1 >= shape.length)
          throw bad(`the "data" of the input ${name} is nested otherwise than its shape`);
        walk(item, axis + 1);
      } else {
        if (at >= into.length) throw bad(`the input ${name} has more elements than its shape`);
        into[at++] = element(name, item, dtype);
      }
    }
  };
  walk(data, 0);
  return at;
}

const ranges: Readonly<Record<Exclude<PortDType, 'f32' | 'f16' | 'bool'>, readonly [number, number]>> = {
  i32: [-(2 ** 31), 2 ** 31 - 1],
  // JSON has no larger whole numbers that are exact.
  i64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  u8: [0, 255],
};

function element(name: string, item: unknown, dtype: PortDType): number {
  const wrong = (what: string) => bad(`the input ${name} has an element that is ${what}: ${shownValue(item)}`);
  switch (dtype) {
    case 'bool':
      if (item === true || item === 1) return 1;
      if (item === false || item === 0) return 0;
      throw wrong('neither true nor false');
    case 'f32':
    case 'f16':
      if (typeof item !== 'number') throw wrong('no number');
      return item;
    default: {
      const [low, high] = ranges[dtype];
      if (typeof item !== 'number' || !Number.isInteger(item) || item < low || item > high)
        throw wrong(`no ${datatypes[dtype]}`);
      return item;
    }
  }
}

function asElements(dtype: PortDType, numbers: Float64Array): HostTensor['data'] {
  switch (dtype) {
    case 'f32':
      return Float32Array.from(numbers);
    case 'i32':
      return Int32Array.from(numbers);
    case 'i64':
      return BigInt64Array.from(numbers, BigInt);
    case 'u8':
    case 'bool':
      return Uint8Array.from(numbers);
    case 'f16':
      throw new Error('bug in crobc: FP16 in JSON');
  }
}

const bytesPerElement = { f32: 4, f16: 2, i32: 4, i64: 8, u8: 1, bool: 1 } as const satisfies Readonly<
  Record<PortDType, number>
>;

function fromBytes(name: string, dtype: PortDType, bytes: Uint8Array, count: number): HostTensor['data'] {
  const wanted = count * bytesPerElement[dtype];
  if (bytes.length !== wanted)
    throw bad(`the input ${name} has ${bytes.length} bytes of binary data, and its shape needs ${wanted}`);
  // A copy, because an element may not begin at any address.
  const { buffer } = Uint8Array.from(bytes);
  switch (dtype) {
    case 'f32':
      return new Float32Array(buffer);
    case 'f16':
      return new Uint16Array(buffer);
    case 'i32':
      return new Int32Array(buffer);
    case 'i64':
      return new BigInt64Array(buffer);
    case 'u8':
      return new Uint8Array(buffer);
    case 'bool':
      if (!bytes.every((byte) => byte <= 1)) throw bad(`the input ${name} has a byte that is neither 0 nor 1`);
      return new Uint8Array(buffer);
  }
}

function wantedOutputs(outputs: unknown): readonly WantedOutput[] {
  if (!Array.isArray(outputs)) throw bad('"outputs" is not a list');
  return (outputs as readonly unknown[]).map((entry) => {
    if (!isObject(entry) || !isText(entry.name)) throw bad('an entry of "outputs" has no "name"');
    const { name, parameters } = entry;
    const binary = isObject(parameters) ? parameters.binary_data : undefined;
    if (binary !== undefined && typeof binary !== 'boolean') throw bad(`binary_data of ${name} is not true or false`);
    return { name, binary };
  });
}

/** An answer: JSON, and binary tensors behind it if any were asked for. */
export interface InferAnswer {
  readonly body: Uint8Array;
  /** Length of the JSON, if binary tensors follow. */
  readonly jsonBytes: number | undefined;
}

/** Writes the results of a run in the order in which they were asked for. Throws a RequestFault for FP16 as JSON. */
export function writeInferAnswer(
  model: string,
  { id, outputs, binary }: InferRequest,
  results: Readonly<Record<string, HostTensor>>,
): InferAnswer {
  const wanted: readonly WantedOutput[] = outputs ?? Object.keys(results).map((name) => ({ name, binary: undefined }));
  const parts: Uint8Array[] = [];
  const entries = wanted.map(({ name, binary: own }) => {
    const tensor = results[name];
    if (!tensor) throw new Error(`bug in crobc: no result ${name}`);
    const { dtype, shape, data } = tensor;
    const about = { name, datatype: datatypes[dtype], shape };
    if (own ?? binary) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      parts.push(bytes);
      return { ...about, parameters: { binary_data_size: bytes.length } };
    }
    if (dtype === 'f16') throw bad(`the output ${name} is FP16, which has no form in JSON: ask for binary data`);
    return { ...about, data: plainList(name, tensor) };
  });
  const json = Buffer.from(
    JSON.stringify({
      model_name: model,
      model_version: modelVersion,
      ...(id === undefined ? {} : { id }),
      outputs: entries,
    }),
  );
  return parts.length === 0
    ? { body: json, jsonBytes: undefined }
    : { body: Buffer.concat([json, ...parts]), jsonBytes: json.length };
}

/** A model that is served has one version. */
export const modelVersion = '1';

function plainList(name: string, { dtype, data }: HostTensor): readonly (number | boolean)[] {
  const numbers = Array.from({ length: data.length }, (_, i) => Number(data[i]));
  if (dtype === 'bool') return numbers.map((value) => value !== 0);
  const isExact = dtype === 'i64' ? Number.isSafeInteger : Number.isFinite;
  if (!numbers.every(isExact))
    throw new RequestFault(500, `the output ${name} has numbers that JSON cannot hold: ask for binary data`);
  return numbers;
}
