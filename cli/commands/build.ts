import { print } from '../../compiler/ir/print.ts';
import { pipeline } from '../../compiler/passes/pipeline.ts';
import { nearest } from '../../grammar/nearest.ts';
import { buildModel } from '../../runtime/build-model.ts';
import { byteSize } from '../../runtime/byte-size.ts';
import { compileFile, viaOf } from '../compile-file.ts';
import { complain, printJson, printLine, printText } from '../print.ts';
import { UsageError } from '../usage-error.ts';

export interface BuildOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  /** false under --no-weights. */
  readonly weights?: string | false;
  readonly via?: string;
  readonly dtype: 'f32' | 'f16';
  readonly target: 'onnx' | 'tfjs';
  readonly seed: number;
  readonly recompute?: readonly string[];
  readonly printAfter?: string;
  readonly out: string;
  readonly json?: boolean;
}

export async function build(file: string, options: BuildOptions): Promise<number> {
  if (options.target === 'tfjs') return (await import('./build-tfjs.ts')).buildForTfjs(file, options);
  if (options.recompute !== undefined)
    throw new UsageError('--recompute is for --target tfjs, which writes the training program, and for crobc train');
  const { printAfter } = options;
  if (printAfter === 'list') {
    printText(pipeline.map(({ name }) => `${name}\n`).join(''));
    return 0;
  }
  if (printAfter !== undefined && printAfter !== 'all') checkPass(printAfter, options.dtype);
  const started = performance.now();
  const compiled = compileFile(file, options.model, options.set, { via: viaOf(options) });
  if (!compiled) return 1;
  const built = await buildModel(compiled, {
    out: options.out,
    dtype: options.dtype,
    weightsFile: typeof options.weights === 'string' ? options.weights : undefined,
    seed: options.seed,
    writeWeights: options.weights !== false,
    client: true,
    pipeline: {
      after: (pass, graph) => {
        if (printAfter === 'all' || printAfter === pass) printText(`// after ${pass}\n${print(graph)}\n`);
      },
    },
  });
  const milliseconds = Math.round(performance.now() - started);
  if (options.json) {
    const { model, hash, parameters, files, emitted } = built;
    printJson({ model, hash, parameters, nodes: emitted.graph.nodes.length, milliseconds, files });
    return 0;
  }
  if (printAfter !== undefined) return 0;
  printLine(
    `${built.model}: ${built.parameters.toLocaleString('en')} parameters, ${built.emitted.graph.nodes.length.toLocaleString('en')} nodes, ${(milliseconds / 1000).toFixed(1)} s`,
  );
  for (const { path, bytes } of built.files) printLine(`  ${path}  ${byteSize(bytes)}`);
  if (options.weights === undefined && built.weights > 0)
    complain(`note: weights are initial ones, drawn from seed ${options.seed}; give trained ones with --weights`);
  if (options.weights === false && built.weights > 0)
    complain(`note: ${built.model}.onnx names weights that were not written; it runs when they are there`);
  return 0;
}

function checkPass(name: string, dtype: 'f32' | 'f16'): void {
  const pass = pipeline.find((one) => one.name === name);
  if (!pass) {
    const names = pipeline.map((one) => one.name);
    const meant = nearest(name, names);
    throw new UsageError(
      `there is no pass ${name}; ${meant ? `did you mean ${meant}?` : `there are ${names.join(', ')}`}`,
    );
  }
  if (pass.only && pass.only !== dtype) throw new UsageError(`the pass ${name} runs with --dtype ${pass.only} alone`);
}
