import { float, int, ints } from '../../../../compiler/emit/onnx/model.ts';
import { type Form, type FormGraph, f32Bytes, repeat, type Scale } from './form.ts';

/** Windows of 12×12 pixels, of which each attends to itself. */
interface Windows {
  readonly count: number;
  readonly heads: number;
  readonly width: number;
}

const length = 144;

/** Those of Swin-B's first and third stage, of two images of 480². */
const stages: readonly Windows[] = [
  { count: 200, heads: 4, width: 128 },
  { count: 18, heads: 16, width: 512 },
];

const types = { f32: 1, f16: 10, bf16: 16 } as const;
type Precision = keyof typeof types;

/** The constants of an attention. */
interface Constants {
  /** Of queries, keys and values together. */
  readonly weight: string;
  readonly shift: string;
  /** [1, heads, length, length]. */
  readonly bias: string;
}

type Attend = (graph: FormGraph, x: string, constants: Constants, windows: Windows, precision: Precision) => string;

const ways: Readonly<Record<string, Attend>> = {
  'MatMul, Softmax, MatMul': (graph, x, constants, { count, heads, width }, precision) => {
    const depth = width / heads;
    const turned = (part: string, perm: readonly number[]) => {
      const split = graph.node('Reshape', [part, graph.ints(count, length, heads, depth)]);
      return graph.node('Transpose', [split], { perm: ints(perm) });
    };
    const [q, k, v] = projected(graph, x, constants, width);
    const scale = graph.constant(precision, [], [1 / Math.sqrt(depth)]);
    const scores = graph.node('MatMul', [turned(q, [0, 2, 1, 3]), turned(k, [0, 2, 3, 1])]);
    const biased = graph.node('Add', [graph.node('Mul', [scores, scale]), constants.bias]);
    const weights = graph.node('Softmax', [biased], { axis: int(-1) });
    const mixed = graph.node('MatMul', [weights, turned(v, [0, 2, 1, 3])]);
    const joined = graph.node('Transpose', [mixed], { perm: ints([0, 2, 1, 3]) });
    return graph.node('Reshape', [joined, graph.ints(count, length, width)]);
  },
  'com.microsoft.Attention': (graph, x, { weight, shift, bias }, { heads, width }) =>
    graph.contrib('Attention', [x, weight, shift, '', '', bias], attributes(heads, width)),
  'com.microsoft.MultiHeadAttention': (graph, x, constants, { heads, width }) =>
    graph.contrib(
      'MultiHeadAttention',
      [...projected(graph, x, constants, width), '', '', constants.bias],
      attributes(heads, width),
    ),
};

function attributes(heads: number, width: number) {
  return { num_heads: int(heads), scale: float(1 / Math.sqrt(width / heads)) };
}

function projected(graph: FormGraph, x: string, { weight, shift }: Constants, width: number) {
  const all = graph.node('Add', [graph.node('MatMul', [x, weight]), shift]);
  const parts = graph.nodes('Split', [all, graph.ints(width, width, width)], 3, { axis: int(-1) });
  return parts as readonly [string, string, string];
}

/** Attention in windows with a bias for each head, as of Swin-B. */
export function attentionForms(scale: Scale): readonly Form[] {
  const all = scale === 'full' ? stages : stages.slice(0, 1).map((stage) => ({ ...stage, count: 2 }));
  const times = scale === 'full' ? 4 : 1;
  const form = (how: string, attend: Attend, windows: Windows, precision: Precision): Form => {
    const { count, heads, width } = windows;
    const shape = [count, length, width] as const;
    const isHalf = precision !== 'f32';
    const cast = (graph: FormGraph, x: string, to: Precision) =>
      isHalf ? graph.node('Cast', [x], { to: int(types[to]) }) : x;
    return {
      what: 'attention in windows, with projections and casts of inputs and outputs',
      how,
      size: `[${shape.join(', ')}], ${heads} heads, ${precision}`,
      bytes: f32Bytes(shape, shape) / (isHalf ? 2 : 1),
      times,
      onCuda: isHalf,
      write: (graph) => {
        const constants = {
          weight: graph.weights(precision, [width, 3 * width]),
          shift: graph.weights(precision, [3 * width]),
          bias: graph.weights(precision, [1, heads, length, length]),
        };
        repeat(times, () => {
          const x = cast(graph, graph.input(shape), precision);
          graph.output(cast(graph, attend(graph, x, constants, windows, precision), 'f32'), shape);
        });
      },
    };
  };
  return all.flatMap((windows) =>
    (['f32', 'bf16', 'f16'] as const).flatMap((precision) =>
      Object.entries(ways).map(([how, attend]) => form(how, attend, windows, precision)),
    ),
  );
}
