/** Returns the results as Markdown tables for docs/benchmarks.md. */
export function tables({ machine, repeats, threads, check, scale, build, infer, profile, load, train }) {
  const parts = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${versions(machine)}; ${threads} threads, ` +
      `${repeats} runs each; crobc at ${machine.commit}, ${machine.date.slice(0, 10)}`,
  ];
  if (check) {
    const rows = [
      ['node -e 0', ...spread(check.node)],
      ...Object.entries(check.whole).flatMap(([name, { without, cached }]) => [
        [name, ...spread(without)],
        [`${name}, nothing changed, with --cache`, ...spread(cached)],
      ]),
    ];
    parts.push(table(['whole process', 'median', 'fastest', 'slowest'], rows));
    const passes = check.passes.map(({ file, again, processorSeconds }) => [
      file,
      count(again),
      ...spread(processorSeconds),
    ]);
    parts.push(table(['changed file', 'files checked again', "processor's time", 'fastest', 'slowest'], passes));
  }
  if (scale) {
    const rows = scale.map(({ operators, check, build }) => [count(operators), time(check.median), time(build.median)]);
    parts.push(table(['operators', 'crobc check', 'crobc build --no-weights'], rows));
  }
  if (build) {
    const { graph, withWeights } = build;
    const rows = [
      ['crobc build --no-weights, CroBIM at 480²', ...spread(graph), ''],
      [
        'the same with its weights',
        time(withWeights.seconds),
        '',
        '',
        `${(withWeights.peakBytes / 2 ** 30).toFixed(2)} GiB`,
      ],
    ];
    parts.push(table(['whole process', 'median', 'fastest', 'slowest', 'most memory'], rows));
  }
  if (infer) {
    const rows = Object.entries(infer).map(([name, { crobc, export: exported, eager, ratio, difference }]) => [
      name,
      time(crobc.median),
      time(exported.median),
      ratio.toFixed(2),
      time(eager.median),
      count(crobc.nodes),
      count(exported.nodes),
      time(crobc.buildSeconds),
      time(exported.exportSeconds),
      difference.toExponential(0),
    ]);
    const heads = [
      '',
      'crobc',
      'torch.onnx.export',
      'ratio',
      'PyTorch eager',
      'nodes',
      'nodes, export',
      'build',
      'export',
      'largest difference',
    ];
    parts.push(table(heads, rows));
  }
  if (profile) {
    const share = ({ name, seconds, nodes }) => [
      name,
      time(seconds),
      `${((100 * seconds) / profile.seconds).toFixed(1)} %`,
      count(Math.round(nodes)),
    ];
    parts.push(table(['module', 'time', 'share', 'nodes'], profile.byModule.map(share)));
    parts.push(table(['operator', 'time', 'share', 'nodes'], profile.byOperator.slice(0, 16).map(share)));
    parts.push(table(['module and operator', 'time', 'share', 'nodes'], profile.byPlace.map(share)));
  }
  if (load) parts.push(loadingTable(load));
  if (train) parts.push(...trainingTables(train));
  return `\n${parts.join('\n\n')}\n`;
}

/** Images per second and the processor's time for an image, for each number of threads or processes that decode. */
function loadingTable(load) {
  const both = (ours, theirs, shown, ratio) => [
    shown(ours.median),
    ...(theirs ? [shown(theirs.median), ratio(ours.median, theirs.median).toFixed(2)] : ['', '']),
  ];
  const rows = Object.entries(load).flatMap(([format, { crobc, pytorch }]) =>
    Object.entries(crobc).map(([threads, ours]) => {
      const theirs = pytorch?.[threads];
      return [
        format,
        threads,
        ...both(
          ours.rate,
          theirs?.rate,
          (rate) => rate.toFixed(0),
          (a, b) => a / b,
        ),
        ...both(ours.processorSeconds, theirs?.processorSeconds, time, (a, b) => b / a),
      ];
    }),
  );
  const heads = ['crobc: images/s', 'DataLoader', 'times as fast', 'crobc: processor', 'DataLoader', 'times as fast'];
  return table(['', 'threads', ...heads], rows);
}

function trainingTables({ compile, batches, tfjs, ...compared }) {
  const parts = [
    table(
      ['', 'median', 'fastest', 'slowest', 'nodes', 'weights'],
      [['compiling the training step of CroBIM', ...spread(compile), count(compile.nodes), count(compile.parameters)]],
    ),
  ];
  const rows = Object.entries(compared).map(
    ([name, { crobc, pytorch, ratio, nodes, compileSeconds, difference, gflops }]) => [
      name,
      time(crobc.median),
      pytorch ? time(pytorch.median) : '',
      pytorch ? ratio.toFixed(2) : '',
      count(nodes),
      time(compileSeconds),
      pytorch ? difference.toExponential(0) : '',
      Object.values(gflops ?? {})
        .map((speed) => Math.round(speed))
        .join(', then '),
    ],
  );
  const heads = ['a step', 'crobc', 'PyTorch', 'ratio', 'nodes', 'compile', 'losses differ by', 'GFLOP/s of MKL'];
  if (rows.length > 0) parts.push(table(heads, rows));
  if (batches) {
    const each = batches.map(({ batch, median, min, max, bytes }) => [
      String(batch),
      ...[median, min, max].map(time),
      time(median / batch),
      mebibytes(bytes),
    ]);
    parts.push(table(['batch', 'median', 'fastest', 'slowest', 'an image', 'memory'], each));
  }
  if (tfjs) parts.push(table(['TensorFlow.js', 'median', 'fastest', 'slowest'], [[tfjs.device, ...spread(tfjs)]]));
  return parts;
}

function mebibytes(bytes) {
  return `${Math.round(bytes / 2 ** 20)} MiB`;
}

function versions({ node, torch, transformers, ...others }) {
  const known = { Node: node, 'onnxruntime-node': others['onnxruntime-node'], PyTorch: torch, transformers };
  return Object.entries(known)
    .filter(([, version]) => version !== undefined)
    .map(([name, version]) => `${name} ${version}`)
    .join(', ');
}

function spread({ median, min, max }) {
  return [time(median), time(min), time(max)];
}

function time(seconds) {
  return seconds < 1 ? `${(seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0)} ms` : `${seconds.toFixed(2)} s`;
}

function count(n) {
  return n.toLocaleString('en');
}

function table(heads, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(heads), line(heads.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}
