import { predict as predictMask } from '../../runtime/predict.ts';
import type { Device } from '../../runtime/session.ts';
import { compileFile, viaOf } from '../compile-file.ts';
import { UsageError } from '../usage-error.ts';

export interface PredictOptions {
  readonly model?: string;
  readonly image: string;
  readonly text?: string;
  readonly weights?: string;
  readonly via?: string;
  readonly tokenizer?: string;
  readonly set?: readonly string[];
  readonly device: Device | 'auto';
  readonly dtype: 'f32' | 'f16';
  readonly threads?: number;
  readonly seed: number;
  readonly out: string;
  readonly json?: boolean;
}

/** No model reads a tenth of it; a longer text is a mistake, such as a file's contents. */
const longestText = 4096;

export async function predict(file: string, options: PredictOptions): Promise<number> {
  const { length } = options.text ?? '';
  if (length > longestText) {
    const [given, most] = [length, longestText].map((n) => n.toLocaleString('en'));
    throw new UsageError(`--text has ${given} characters, and at most ${most} are taken: give one sentence`);
  }
  const compiled = compileFile(file, options.model, options.set, {
    recipeDims: ['H', 'W', 'T'],
    via: viaOf(options),
  });
  if (!compiled) return 1;
  const found = await predictMask(compiled, {
    image: options.image,
    text: options.text,
    tokenizer: options.tokenizer,
    device: options.device,
    threads: options.threads,
    out: options.out,
    dtype: options.dtype,
    weightsFile: options.weights,
    seed: options.seed,
  });
  if (found.truncated)
    process.stderr.write('note: the sentence has more words than the model takes; the rest was cut off\n');
  if (found.note) process.stderr.write(`note: ${found.note}\n`);
  if (options.weights === undefined)
    process.stderr.write('note: no --weights: the model is untrained and its mask means nothing\n');
  if (options.json) {
    process.stdout.write(`${JSON.stringify(found, null, 2)}\n`);
    return 0;
  }
  const { box, score } = found;
  process.stdout.write(`${found.model} on ${found.device}: ${found.milliseconds.toLocaleString('en')} ms\n`);
  process.stdout.write(
    `  area     ${found.area.toLocaleString('en')} of ${(found.width * found.height).toLocaleString('en')} pixels (${(100 * found.fraction).toFixed(1)} %)\n`,
  );
  process.stdout.write(
    `  box      ${box ? `${box.left}, ${box.top} to ${box.right}, ${box.bottom}` : 'none: the mask is empty'}\n`,
  );
  process.stdout.write(`  score    ${score === null ? 'none' : score.toFixed(3)}\n`);
  process.stdout.write(
    `  mask     ${found.files.mask}\n  overlay  ${found.files.overlay}\n  json     ${found.files.json}\n`,
  );
  return 0;
}
