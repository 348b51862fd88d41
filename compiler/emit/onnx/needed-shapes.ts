import type { PartialShape } from './inferred-shapes.ts';
import type { OnnxGraph, OnnxNode } from './model.ts';

/**
 * Returns the names of the values whose shapes, or only ranks, onnxruntime asks for to optimise a step:
 *
 * - MatMulScaleFusion puts a product with a stored number before or after a matrix product into the latter, unless the
 *   other factor may be a scalar.
 * - MatMulAddFusion joins a product with a matrix and an addition to Gemm, if the sizes fit; a first factor that is no
 *   matrix is reshaped to one, if its shape is known.
 * - BiasGeluFusion joins the addition of a bias and Gelu, if the size of the last axis is known.
 * - TransposeOptimizer moves a Transpose past its reader only if it knows the ranks of all operands of the reader, and
 *   compares these ranks to decide whether that pays.
 * - MatmulTransposeFusion puts a Transpose that moves the first axis behind the other batch axes into a matrix product,
 *   if both factors have the same rank.
 *
 * (core/optimizer/matmul_transpose_fusion.cc, matmul_scale_fusion.cc, matmul_add_fusion.cc, bias_gelu_fusion.cc and
 * transpose_optimization/onnx_transpose_optimization.cc, 1.30.)
 */
export function neededShapes(
  { nodes, initialisers }: OnnxGraph,
  inferred: ReadonlyMap<string, PartialShape>,
): ReadonlySet<string> {
  const numbers = new Set(initialisers.filter(({ dims }) => dims.every((size) => size === 1)).map(({ name }) => name));
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
  const readers = new Map<string, string[]>();
  for (const { op, inputs } of nodes) for (const name of inputs) readers.set(name, [...(readers.get(name) ?? []), op]);
  const isReadBy = (name: string, op: string) => readers.get(name)?.includes(op) ?? false;
  const needed = new Set<string>();
  for (const { op, inputs, outputs } of nodes) {
    const from = (maker: string): OnnxNode[] =>
      inputs.flatMap((name) => (makers.get(name)?.op === maker ? [makers.get(name)!] : []));
    const need = (names: readonly string[]) => {
      for (const name of names) needed.add(name);
    };
    const [output] = outputs as [string];
    const scales = (op === 'Mul' || op === 'Div') && inputs.some((name) => numbers.has(name));
    if (scales && (isReadBy(output, 'MatMul') || from('MatMul').length > 0)) need(inputs);
    if (op === 'Add' && isReadBy(output, 'Gelu')) need(inputs);
    if (op === 'Add')
      for (const product of from('MatMul')) {
        const [result] = product.outputs as [string];
        const factors = product.inputs.map((name) => inferred.get(name));
        const added = inferred.get(inputs.find((name) => name !== result) ?? '');
        if (readers.get(result)!.length === 1 && mayBeGemm(factors, added)) need([...inputs, ...product.inputs]);
      }
    const transposes = from('Transpose').filter((transpose) =>
      op === 'MatMul' ? isOfBatches(transpose) : !unmoved.has(op),
    );
    if (transposes.length > 0) need(inputs);
    for (const transpose of transposes) need(transpose.inputs);
  }
  return needed;
}

function mayBeGemm([first, second]: readonly (PartialShape | undefined)[], added: PartialShape | undefined): boolean {
  if (first === undefined || second?.length !== 2 || added?.at(-1) === undefined) return false;
  return first.length === 2 ? added.length === 1 || added[0] !== undefined : first.every((size) => size !== undefined);
}

/** Operators past which no Transpose is moved, or only one that needs no ranks. */
const unmoved: ReadonlySet<string> = new Set(['Reshape', 'Transpose']);

function isOfBatches({ attributes: { perm } }: OnnxNode): boolean {
  return perm?.kind === 'ints' && perm.value.length > 2 && perm.value.slice(0, -2).every((axis, i) => axis === i + 1);
}
