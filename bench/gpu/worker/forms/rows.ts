import { int, ints, string, tensorOf } from '../../../../compiler/emit/onnx/model.ts';
import { tensor } from '../../../../compiler/ir/tensor-data.ts';
import { type Form, type FormGraph, f32Bytes, repeat, type Scale } from './form.ts';

/** The rows of images with a frame, by side: those of 120², 60², 30² and 15² pixels, 8 heads and 2 images. */
const framedSides = [123, 63, 33, 18];

/** Adding rows to rows of a table, as the gradient of grid_sample with respect to the image does. */
export function scatterForms(scale: Scale): readonly Form[] {
  const count = scale === 'full' ? 4_896_000 : 4896;
  const width = 32;
  return framedSides.flatMap((side) => {
    const rows = scale === 'full' ? 16 * side ** 2 : side ** 2;
    const shared = {
      what: 'adding rows to rows of a table',
      size: `${count} rows of ${width} to ${rows}`,
      bytes: f32Bytes([count, width], [rows, width]) + 8 * count,
      times: 1,
    };
    const zeros = (graph: FormGraph, ...shape: readonly number[]) =>
      graph.node('ConstantOfShape', [graph.ints(...shape)], { value: tensorOf(tensor('f32', [1], [0])) });
    const add = { reduction: string('add') };
    return [
      {
        ...shared,
        how: 'ScatterND of rows',
        write: (graph) => {
          const at = graph.input([count, 1], 'i64', rows);
          const sums = graph.node('ScatterND', [zeros(graph, rows, width), at, graph.input([count, width])], add);
          graph.output(sums, [rows, width]);
        },
      },
      {
        ...shared,
        how: 'ScatterElements of all elements',
        write: (graph) => {
          const starts = graph.node('Mul', [graph.input([count, 1], 'i64', rows), graph.constant('i64', [], [width])]);
          const places = graph.node('Add', [starts, graph.ints(...Array(width).keys())]);
          const all = count * width;
          const flat = graph.node('Reshape', [places, graph.ints(all)]);
          const updates = graph.node('Reshape', [graph.input([count, width]), graph.ints(all)]);
          const given = [zeros(graph, rows * width), flat, updates];
          const sums = graph.node('ScatterElements', given, { axis: int(0), ...add });
          graph.output(graph.node('Reshape', [sums, graph.ints(rows, width)]), [rows, width]);
        },
      },
    ] satisfies readonly Form[];
  });
}

/** Taking rows: of a table in any order, and of an image in windows. */
export function gatherForms(scale: Scale): readonly Form[] {
  const [count, rows] = scale === 'full' ? [4_896_000, 17_424] : [4896, 1089];
  const taken = (how: string, take: (graph: FormGraph, table: string) => string): Form => ({
    ...{ what: 'taking rows of a table', how, size: `${count} of ${rows} rows of 32`, times: 1 },
    bytes: f32Bytes([count, 32], [rows, 32]) + 4 * count,
    write: (graph) => graph.output(take(graph, graph.input([rows, 32])), [count, 32]),
  });
  const side = scale === 'full' ? 120 : 24;
  const image = [2, side, side, 128] as const;
  const windows = side / 12;
  const split = [2, windows, 12, windows, 12, 128] as const;
  const parted = [2, windows, windows, 12, 12, 128] as const;
  const all = 2 * side * side;
  const moved = (how: string, move: (graph: FormGraph, x: string) => string): Form => ({
    ...{ what: 'windows of an image', how, size: `[${image.join(', ')}] to ${windows}×${windows}`, times: 4 },
    bytes: f32Bytes(image, image),
    write: (graph) => repeat(4, () => graph.output(move(graph, graph.input(image)), parted)),
  });
  const places = (graph: FormGraph, axes: readonly number[]) => graph.constant('i64', axes, windowRows(split));
  const asRows = (graph: FormGraph, x: string) => graph.node('Reshape', [x, graph.ints(all, 128)]);
  const asParted = (graph: FormGraph, x: string) => graph.node('Reshape', [x, graph.ints(...parted)]);
  return [
    taken('Gather by i32', (graph, table) => graph.node('Gather', [table, graph.input([count], 'i32', rows)])),
    taken('Gather by i64', (graph, table) => graph.node('Gather', [table, graph.input([count], 'i64', rows)])),
    taken('GatherND', (graph, table) => graph.node('GatherND', [table, graph.input([count, 1], 'i64', rows)])),
    moved('Transpose', (graph, x) =>
      graph.node('Transpose', [graph.node('Reshape', [x, graph.ints(...split)])], { perm: ints([0, 1, 3, 2, 4, 5]) }),
    ),
    moved('Gather of rows', (graph, x) =>
      asParted(graph, graph.node('Gather', [asRows(graph, x), places(graph, [all])])),
    ),
    moved('GatherND of rows', (graph, x) =>
      asParted(graph, graph.node('GatherND', [asRows(graph, x), places(graph, [all, 1])])),
    ),
  ];
}

/** The row of each pixel, in the order of windows. */
function windowRows([images, high, tall, across, wide]: readonly [number, number, number, number, number, number]) {
  const found: number[] = [];
  for (let image = 0; image < images; image++)
    for (let i = 0; i < high; i++)
      for (let j = 0; j < across; j++)
        for (let y = 0; y < tall; y++)
          for (let x = 0; x < wide; x++) found.push(((image * high + i) * tall + y) * across * wide + j * wide + x);
  return found;
}

/** Copies of parts: onnxruntime passes the pointers of unequal parts to the device in each run. */
export function copyForms(scale: Scale): readonly Form[] {
  const side = scale === 'full' ? 120 : 24;
  const image = [2, side, side, 128] as const;
  const rolled = (how: string, roll: (graph: FormGraph, x: string) => string): Form => ({
    ...{ what: 'rolling an image by 6', how, size: `[${image.join(', ')}] along axis 1`, times: 4 },
    bytes: f32Bytes(image, image),
    write: (graph) => repeat(4, () => graph.output(roll(graph, graph.input(image)), image)),
  });
  const sizes = scale === 'full' ? [14400, 3600, 900, 225] : [144, 36, 9, 4];
  const total = sizes.reduce((a, b) => a + b);
  const starts = sizes.map((_, i) => sizes.slice(0, i).reduce((a, b) => a + b, 0));
  const joint = [2, total, 256] as const;
  const cut = (how: string, pieces: (graph: FormGraph, x: string) => readonly string[]): Form => ({
    ...{ what: 'cutting into unequal parts', how, size: `[${joint.join(', ')}] into ${sizes.join(', ')}`, times: 4 },
    bytes: f32Bytes(joint, joint),
    write: (graph) =>
      repeat(4, () => {
        for (const [i, piece] of pieces(graph, graph.input(joint)).entries()) graph.output(piece, [2, sizes[i]!, 256]);
      }),
  });
  const slice = (graph: FormGraph, x: string, from: number, to: number) =>
    graph.node('Slice', [x, graph.ints(from), graph.ints(to), graph.ints(1)]);
  const along = { axis: int(1) };
  const order = Array.from({ length: side }, (_, i) => (i + 6) % side);
  return [
    rolled('Slice, Slice, Concat', (graph, x) =>
      graph.node('Concat', [slice(graph, x, 6, side), slice(graph, x, 0, 6)], along),
    ),
    rolled('Split, Concat', (graph, x) =>
      graph.node('Concat', graph.nodes('Split', [x, graph.ints(6, side - 6)], 2, along).toReversed(), along),
    ),
    rolled('Gather', (graph, x) => graph.node('Gather', [x, graph.ints(...order)], along)),
    cut('Split', (graph, x) => graph.nodes('Split', [x, graph.ints(...sizes)], sizes.length, along)),
    cut('Slice of each', (graph, x) => sizes.map((size, i) => slice(graph, x, starts[i]!, starts[i]! + size))),
  ];
}

/** Products of which one operand is the same for all images: its matrices are found by pointers. */
export function productForms(): readonly Form[] {
  const pairs = [
    [
      [2, 8, 24, 256],
      [8, 256, 32],
      [2, 8, 24, 32],
    ],
    [
      [8, 256, 32],
      [2, 8, 32, 24],
      [2, 8, 256, 24],
    ],
  ] as const;
  return pairs.flatMap(([a, b, y]) => {
    const times = 8;
    const form = (how: string, operand: (graph: FormGraph, shape: readonly number[]) => string): Form => ({
      ...{ what: 'a product with broadcast', how, size: `[${a.join(', ')}] × [${b.join(', ')}]`, times },
      bytes: f32Bytes(a, b, y),
      write: (graph) =>
        repeat(times, () => graph.output(graph.node('MatMul', [operand(graph, a), operand(graph, b)]), y)),
    });
    const expanded = (graph: FormGraph, shape: readonly number[]) =>
      shape.length === 4 ? graph.input(shape) : graph.node('Expand', [graph.input(shape), graph.ints(2, ...shape)]);
    const perImage = (graph: FormGraph) => {
      const each = (shape: readonly number[]) => {
        const x = graph.input(shape);
        if (shape.length === 3) return [x, x];
        const halves = graph.nodes('Split', [x, graph.ints(1, 1)], 2, { axis: int(0) });
        return halves.map((half) => graph.node('Reshape', [half, graph.ints(...shape.slice(1))]));
      };
      const [xs, ws] = [each(a), each(b)];
      const products = xs.map((x, i) => graph.node('MatMul', [x, ws[i]!]));
      const shape = graph.ints(1, ...y.slice(1));
      const parts = products.map((one) => graph.node('Reshape', [one, shape]));
      graph.output(graph.node('Concat', parts, { axis: int(0) }), y);
    };
    return [
      form('MatMul', (graph, shape) => graph.input(shape)),
      form('Expand, MatMul', expanded),
      {
        ...form('MatMul of each image, Concat', (graph, shape) => graph.input(shape)),
        write: (graph) => repeat(times, () => perImage(graph)),
      },
    ];
  });
}

/** AdamW, by one operator after the other, on one tensor or on many. */
export function updateForms(scale: Scale): readonly Form[] {
  const counts = scale === 'full' ? [1000, 100_000, 1_000_000, 10_000_000] : [1000, 10_000];
  const form = (count: number, tensors: number): Form => ({
    what: 'AdamW, 12 operators',
    how: tensors === 1 ? 'one tensor' : `${tensors} tensors`,
    size: `${count.toLocaleString('en')} numbers`,
    bytes: 7 * 4 * count,
    times: 1,
    write: (graph) => repeat(tensors, () => adamw(graph, [count / tensors])),
  });
  return counts.flatMap((count) => [1, 20].map((tensors) => form(count, tensors)));
}

function adamw(graph: FormGraph, shape: readonly number[]): void {
  const [w, g, m, v] = [0, 1, 2, 3].map(() => graph.input(shape)) as [string, string, string, string];
  const by = (op: string, x: string, n: number) => graph.node(op, [x, graph.constant('f32', [], [n])]);
  const mean = graph.node('Add', [by('Mul', m, 0.9), by('Mul', g, 0.1)]);
  const square = by('Mul', graph.node('Mul', [g, g]), 0.001);
  const variance = graph.node('Add', [by('Mul', v, 0.999), square]);
  const root = by('Add', graph.node('Sqrt', [graph.node('Abs', [variance])]), 1e-8);
  const step = by('Mul', graph.node('Div', [mean, root]), 1e-4);
  for (const next of [graph.node('Sub', [w, step]), mean, variance]) graph.output(next, shape);
}
