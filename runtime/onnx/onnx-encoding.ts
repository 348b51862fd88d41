import onnxProto from 'onnx-proto';
import protobuf from 'protobufjs/minimal.js';
import { elementType } from '../../compiler/emit/onnx/element-types.ts';
import type { Attribute, Initialiser, OnnxModel, OnnxNode, ValueInfo } from '../../compiler/emit/onnx/model.ts';
import { tensorBytes } from '../tensors/tensor-bytes.ts';

const { onnx } = onnxProto;
const { Writer } = protobuf;
type TensorProto = NonNullable<ConstructorParameters<typeof onnx.TensorProto>[0]>;
type NodeProto = NonNullable<ConstructorParameters<typeof onnx.NodeProto>[0]>;
type AttributeProto = NonNullable<ConstructorParameters<typeof onnx.AttributeProto>[0]>;

/** Where the bytes of a tensor are stored: in the model itself, or in a file beside it. */
export type Payload =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'external'; readonly location: string; readonly offset: number; readonly length: number };

/** Inline tensors from this size in bytes are appended without protobufjs, which would copy them several times. */
const largePayload = 1 << 16;

/** Encodes a model as `ModelProto`; equal models give equal bytes. */
export function encodeModel(model: OnnxModel, payload: (initialiser: Initialiser) => Payload): Uint8Array {
  const { graph } = model;
  const large: Uint8Array[] = [];
  const small: TensorProto[] = [];
  for (const initialiser of graph.initialisers) {
    const held = payload(initialiser);
    if (held.kind === 'inline' && held.bytes.length >= largePayload)
      large.push(...largeTensor(initialiser, held.bytes));
    else small.push(tensorProto(initialiser, held));
  }
  const head = onnx.ModelProto.encode({
    irVersion: model.irVersion,
    opsetImport: model.opsets.map(({ domain, version }) => ({ domain, version })),
    producerName: model.producerName,
    producerVersion: model.producerVersion,
    ...docString(model.docs),
    metadataProps: model.metadata.map(({ key, value }) => ({ key, value })),
  }).finish();
  const body = onnx.GraphProto.encode({
    name: graph.name,
    node: graph.nodes.map(encodeNode),
    initializer: small,
    input: graph.inputs.map(encodeValueInfo),
    output: graph.outputs.map(encodeValueInfo),
    valueInfo: graph.values.map(encodeValueInfo),
  }).finish();
  const length = large.reduce((total, { length }) => total + length, body.length);
  return Buffer.concat([head, header(graphField, length), body, ...large]);
}

// Field numbers of onnx.proto.
const graphField = 7;
const initializerField = 5;
const rawDataField = 9;

/** Encodes a tensor as a field of GraphProto: first the tensor without its data, then the data. */
function largeTensor(initialiser: Initialiser, bytes: Uint8Array): Uint8Array[] {
  const rest = onnx.TensorProto.encode(tensorProto(initialiser, undefined)).finish();
  const raw = header(rawDataField, bytes.length);
  return [header(initializerField, rest.length + raw.length + bytes.length), rest, raw, bytes];
}

/** Encodes the tag and the length of a length-delimited protobuf field. */
function header(field: number, length: number): Uint8Array {
  return Writer.create()
    .uint32(field * 8 + 2)
    .uint32(length)
    .finish();
}

function docString(docs: string): { docString?: string } {
  return docs === '' ? {} : { docString: docs };
}

function encodeNode({ name, domain, op, inputs, outputs, attributes, docs }: OnnxNode): NodeProto {
  return {
    name,
    opType: op,
    ...(domain === undefined ? {} : { domain }),
    input: [...inputs],
    output: [...outputs],
    attribute: Object.entries(attributes).map(([name, attribute]) => encodeAttribute(name, attribute)),
    ...docString(docs),
  };
}

function encodeAttribute(name: string, attribute: Attribute): AttributeProto {
  const types = onnx.AttributeProto.AttributeType;
  switch (attribute.kind) {
    case 'int':
      return { name, type: types.INT, i: attribute.value };
    case 'float':
      return { name, type: types.FLOAT, f: attribute.value };
    case 'ints':
      return { name, type: types.INTS, ints: [...attribute.value] };
    case 'string':
      return { name, type: types.STRING, s: new TextEncoder().encode(attribute.value) };
    case 'tensor': {
      const { dtype, shape, data } = attribute.value;
      const bytes = tensorBytes(dtype, data);
      return {
        name,
        type: types.TENSOR,
        t: tensorProto({ name: '', dtype, dims: shape, docs: '' }, { kind: 'inline', bytes }),
      };
    }
    case 'graph': {
      const { name: title, nodes, inputs, outputs, values } = attribute.value;
      const g = {
        name: title,
        node: nodes.map(encodeNode),
        input: inputs.map(encodeValueInfo),
        output: outputs.map(encodeValueInfo),
        valueInfo: values.map(encodeValueInfo),
      };
      return { name, type: types.GRAPH, g };
    }
  }
}

function encodeValueInfo({ name, dtype, shape, docs }: ValueInfo) {
  const dim = shape.map((size) => {
    if (size === undefined) return {};
    return typeof size === 'number' ? { dimValue: size } : { dimParam: size };
  });
  return { name, type: { tensorType: { elemType: elementType[dtype], shape: { dim } } }, ...docString(docs) };
}

function tensorProto(
  { name, dtype, dims, docs }: Pick<Initialiser, 'name' | 'dtype' | 'dims' | 'docs'>,
  payload: Payload | undefined,
): TensorProto {
  const common = {
    dims: [...dims],
    dataType: elementType[dtype],
    ...(name === '' ? {} : { name }),
    ...docString(docs),
  };
  if (payload === undefined) return common;
  if (payload.kind === 'inline') return { ...common, rawData: payload.bytes };
  const { location, offset, length } = payload;
  return {
    ...common,
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value: String(value) })),
  };
}
