import { UsageError } from '../../runtime/files/usage-error.ts';
import type { Device } from '../../runtime/ort/session.ts';
import { predict as predictMask } from '../../runtime/predict/predict.ts';
import type { Truncation } from '../../runtime/text/truncation.ts';
import { givenModel } from '../given-model.ts';
import type { Io } from '../io.ts';
import { complain, printJson, printLine } from '../print.ts';

export interface PredictOptions {
  readonly model?: string;
  readonly image: string;
  readonly text?: string;
  readonly weights?: string;
  readonly via?: string;
  readonly tokenizer?: string;
  readonly truncation?: Truncation;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16';
  readonly threads?: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/**
 * Maximum length of a phrase. No model reads a tenth of it; a longer text is a mistake, such as the contents of a file.
 */
const longestText = 4096;

export async function predict(io: Io, file: string, options: PredictOptions): Promise<number> {
  const { length } = options.text ?? '';
  if (length > longestText) {
    const [given, most] = [length, longestText].map((n) => n.toLocaleString('en'));
    throw new UsageError(`--text has ${given} characters, and at most ${most} are taken: give one sentence`);
  }
  const given = await givenModel(io, file, options, { recipeDims: ['H', 'W', 'T'] });
  if (!given) return 1;
  const { compiled, weightsFile } = given;
  const found = await predictMask(compiled, {
    image: options.image,
    text: options.text,
    tokenizer: options.tokenizer,
    truncation: options.truncation,
    device: options.device,
    threads: options.threads,
    out: options.out,
    dtype: options.dtype,
    weightsFile,
    seed: options.seed,
    note: (line) => complain(io, `note: ${line}`),
  });
  if (found.truncated) complain(io, 'note: the sentence has more words than the model takes; the rest was cut off');
  if (found.note) complain(io, `note: ${found.note}`);
  if (weightsFile === undefined) complain(io, 'note: no --weights: the model is untrained and its mask means nothing');
  if (options.json) {
    printJson(io, found);
    return 0;
  }
  const { box, score } = found;
  printLine(io, `${found.model} on ${found.device}: ${found.milliseconds.toLocaleString('en')} ms`);
  printLine(
    io,
    `  area     ${found.area.toLocaleString('en')} of ${(found.width * found.height).toLocaleString('en')} pixels (${(100 * found.fraction).toFixed(1)} %)`,
  );
  printLine(
    io,
    `  box      ${box ? `${box.left}, ${box.top} to ${box.right}, ${box.bottom}` : 'none: the mask is empty'}`,
  );
  printLine(io, `  score    ${score === null ? 'none' : score.toFixed(3)}`);
  for (const [kind, path] of Object.entries(found.files)) printLine(io, `  ${kind.padEnd(7)}  ${path}`);
  return 0;
}
