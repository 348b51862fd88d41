/**
 * Returns the part of a client that is the same for every model. Only the type `source` is named after the model. No
 * other name here can collide with a model's name, because model names start with a capital letter.
 */
export const support = (
  source: string,
): string => `/** A tensor, its data with its shape, or its data alone where the other inputs tell the shape. */
export type ${source}<T extends ort.Tensor.Type> = Pick<ort.TypedTensor<T>, 'data' | 'dims'> | ort.Tensor.DataTypeMap[T];

/** The shape that comes with a source, if one does. */
function shapeOf(source: ${source}<ort.Tensor.Type>): readonly number[] | undefined {
  return 'dims' in source ? source.dims : undefined;
}

/** The size that is first found at one of the axes. */
function sizeOf(name: string, axes: Readonly<Record<string, readonly [${source}<ort.Tensor.Type>, number]>>): number {
  for (const [source, axis] of Object.values(axes)) {
    const size = shapeOf(source)?.[axis];
    if (size !== undefined) return size;
  }
  throw new RangeError(\`\${name} is not known: give the shape of \${Object.keys(axes).join(' or ')}\`);
}

function check(condition: boolean, message: string): void {
  if (!condition) throw new RangeError(message);
}

function checkRank(name: string, source: ${source}<ort.Tensor.Type>, rank: number, wanted: string): void {
  const shape = shapeOf(source);
  check(shape === undefined || shape.length === rank, \`\${name} is [\${shape?.join(', ')}]: must be \${wanted}\`);
}

function checkShape(name: string, source: ${source}<ort.Tensor.Type>, shape: readonly number[], wanted: string): void {
  const own = shapeOf(source);
  const sizes = \`[\${shape.join(', ')}]\`;
  const must = sizes === wanted ? wanted : \`\${wanted}, which is \${sizes}\`;
  check(
    own === undefined || own.every((size, axis) => size === shape[axis]),
    \`\${name} is [\${own?.join(', ')}]: must be \${must}\`,
  );
  const data = 'dims' in source ? undefined : source;
  const count = shape.reduce((total, size) => total * size, 1);
  check(
    data === undefined || data.length === count,
    \`\${name} has \${data?.length} elements: must have \${count}, for \${must}\`,
  );
}

function tensor<T extends ort.Tensor.Type>(type: T, source: ${source}<T>, shape: readonly number[]): ort.Tensor {
  if (!('dims' in source)) return new ort.Tensor(type, source, shape);
  return source instanceof ort.Tensor ? source : new ort.Tensor(type, source.data, source.dims);
}

function output<T extends ort.Tensor.Type>(type: T, name: string, results: ort.InferenceSession.ReturnType): ort.TypedTensor<T> {
  const result = results[name];
  if (result?.type !== type) throw new Error(\`the model file gives no \${type} \${name}: it is another build's\`);
  return result as ort.TypedTensor<T>;
}
`;

/** Support for a model with inputs that are row numbers of a table. */
export const rowSupport = (source: string): string => `
/** In ONNX, negative row numbers count from the end: here, all that are no rows are refused. */
function checkRows(name: string, source: ${source}<'int32' | 'int64' | 'uint8' | 'bool'>, shape: readonly number[], rows: number): void {
  const data = 'dims' in source ? source.data : source;
  for (let i = 0; i < data.length; i++) {
    const row = data[i] ?? 0;
    if (row >= 0 && row < rows) continue;
    const place = shape.map((size, axis) => Math.floor(i / shape.slice(axis + 1).reduce((a, b) => a * b, 1)) % size);
    throw new RangeError(\`\${name} is \${row} at [\${place.join(', ')}]: must lie in 0..\${rows - 1}\`);
  }
}
`;
