import { inlineWithLossOutputs } from '../../compiler/elaborate/models/inline.ts';
import { weightParts } from '../../compiler/elaborate/models/weight-parts.ts';
import { terminalWidth } from '../../runtime/process/terminal.ts';
import { weightsOf } from '../../runtime/weights/graph-weights.ts';
import { type ImportReport, openImport } from '../../runtime/weights/import-weights.ts';
import { compileFile } from '../compile-file.ts';
import type { Io } from '../io.ts';
import { plural } from '../messages.ts';
import { complain, printJson, printLine, printText } from '../print.ts';
import { labelled } from '../table.ts';

export interface ImportOptions {
  readonly model?: string;
  readonly set?: readonly string[];
  readonly map?: string;
  readonly to?: string;
  readonly allowMissing?: readonly string[];
  readonly out?: string;
  readonly json?: boolean;
}

/** `crobc weights import` */
export async function importWeights(io: Io, path: string, source: string, options: ImportOptions): Promise<number> {
  const compiled = compileFile(io, source, options.model, options.set);
  if (!compiled) return 1;
  const { context, model, graph, knownMaps } = compiled;
  if (!context) throw new Error('bug in crobc: a model without errors has nothing that elaborated it');
  // Weights that only losses need are imported too.
  const trained = model.lossOutputs.length === 0 ? graph : inlineWithLossOutputs(model, new Map());
  const opened = await openImport(
    path,
    { name: graph.name, weights: weightsOf(trained), parts: weightParts(context, model), knownMaps },
    { map: options.map, to: options.to, allowMissing: options.allowMissing ?? [] },
  );
  const { report } = opened;
  try {
    if (options.out !== undefined) await opened.write(options.out);
  } finally {
    await opened.close();
  }
  if (options.json) {
    printJson(io, { ...report, out: options.out ?? null });
    return 0;
  }
  const by = report.map === null ? "with crob's own names" : `by the map ${report.map}`;
  printLine(io, `${report.file}: ${report.format}, ${by}, for ${report.model}`);
  printText(io, `${labelled(lines(report), terminalWidth(io.stdout))}\n`);
  if (options.out === undefined) complain(io, 'note: nothing is written without -o FILE.safetensors');
  else printLine(io, `wrote ${options.out}`);
  return 0;
}

/** Maximum number of names that a line shows. */
const most = 4;

function lines(report: ImportReport): [string, string][] {
  const { taken, resized, skipped, leftInitial, narrowed, weights } = report;
  const named = (what: string, names: readonly string[]) => {
    const rest = names.length > most ? `, and ${(names.length - most).toLocaleString('en')} more` : '';
    return `${plural(names.length, what)}${names.length > 0 ? `: ${names.slice(0, most).join(', ')}${rest}` : ''}`;
  };
  const sizes = resized.map(({ path, from, to }) => `${path} from [${from.join(', ')}] to [${to.join(', ')}]`);
  return [
    ['taken', `${plural(taken.length, 'weight')} of the model's ${weights}`],
    ['resized', named('weight', sizes)],
    ['skipped', named('tensor', skipped)],
    ['left initial', named('weight', leftInitial)],
    ...(narrowed > 0 ? [['rounded', `${plural(narrowed, 'tensor')} from float64 to float32`] as [string, string]] : []),
  ];
}
