import onnxProto from 'onnx-proto';
import { elementType } from '../compiler/emit/onnx/element-types.ts';
import type { Attribute, Initialiser, OnnxModel, OnnxNode, ValueInfo } from '../compiler/emit/onnx/model.ts';
import { tensorBytes } from './tensor-bytes.ts';

const { onnx } = onnxProto;
type TensorProto = NonNullable<ConstructorParameters<typeof onnx.TensorProto>[0]>;
type AttributeProto = NonNullable<ConstructorParameters<typeof onnx.AttributeProto>[0]>;

/** Where a tensor's bytes are: in the model itself, or in a file beside it. */
export type Payload =
  | { readonly kind: 'inline'; readonly bytes: Uint8Array }
  | { readonly kind: 'external'; readonly location: string; readonly offset: number; readonly length: number };

/** The bytes of `ModelProto`. Fields are written in the order of the schema, so equal models are equal bytes. */
export function encodeModel(model: OnnxModel, payload: (initialiser: Initialiser) => Payload): Uint8Array {
  const { graph } = model;
  return onnx.ModelProto.encode({
    irVersion: model.irVersion,
    opsetImport: model.opsets.map(({ domain, version }) => ({ domain, version })),
    producerName: model.producerName,
    producerVersion: model.producerVersion,
    ...docString(model.docs),
    metadataProps: model.metadata.map(({ key, value }) => ({ key, value })),
    graph: {
      name: graph.name,
      node: graph.nodes.map(encodeNode),
      initializer: graph.initialisers.map((initialiser) => tensorProto(initialiser, payload(initialiser))),
      input: graph.inputs.map(encodeValueInfo),
      output: graph.outputs.map(encodeValueInfo),
      valueInfo: graph.values.map(encodeValueInfo),
    },
  }).finish();
}

function docString(docs: string): { docString?: string } {
  return docs === '' ? {} : { docString: docs };
}

function encodeNode({ name, op, inputs, outputs, attributes, docs }: OnnxNode) {
  return {
    name,
    opType: op,
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
  }
}

function encodeValueInfo({ name, dtype, shape, docs }: ValueInfo) {
  const dim = shape.map((size) => (typeof size === 'number' ? { dimValue: size } : { dimParam: size }));
  return { name, type: { tensorType: { elemType: elementType[dtype], shape: { dim } } }, ...docString(docs) };
}

function tensorProto(
  { name, dtype, dims, docs }: Pick<Initialiser, 'name' | 'dtype' | 'dims' | 'docs'>,
  payload: Payload,
): TensorProto {
  const common = {
    dims: [...dims],
    dataType: elementType[dtype],
    ...(name === '' ? {} : { name }),
    ...docString(docs),
  };
  if (payload.kind === 'inline') return { ...common, rawData: payload.bytes };
  const { location, offset, length } = payload;
  return {
    ...common,
    dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
    externalData: Object.entries({ location, offset, length }).map(([key, value]) => ({ key, value: String(value) })),
  };
}
