import { InvalidArgumentError, Option } from 'commander';
import { protocolNames } from '../compiler/elaborate/source/recipe-tables.ts';
import { onSizeMismatchNames } from '../runtime/data/size-mismatch.ts';
import { parseByteSize } from '../runtime/files/byte-size.ts';
import { parseBands, parseStretch } from '../runtime/images/colours.ts';
import { truncations } from '../runtime/text/truncation.ts';
import { CollectingOption } from './given-once.ts';

export const set = (): Option =>
  new CollectingOption(
    '--set <name=value>',
    'bind dims (H=480,W=480) or override parameters (mid.layers=3), as a variant would; may be repeated',
    splitSettings,
  );

export const expose = (description: string): Option =>
  new CollectingOption('--expose <pattern>', description, (pattern) => [pattern]);

export const truncation = (): Option =>
  new Option(
    '--truncation <how>',
    'how a phrase with too many tokens is truncated: with [SEP] kept, or plainly as by LAVT and RMSIN; by default, as in the training of the weights, else keep-sep',
  ).choices(truncations);

export const onSizeMismatch = (): Option =>
  new Option(
    '--on-size-mismatch <what>',
    'what to do where a mask has another size than its image: resize each by itself, skip the sample, or stop; by default, as with any sample that cannot be used',
  ).choices(onSizeMismatchNames);

export const recompute = (): Option =>
  new CollectingOption(
    '--recompute <module>',
    'recompute the activations of a module (backbone.layers.*) for the gradients: more time, less memory (how much, --dry-run says); may be repeated',
    (module) => [module],
  );

export const deviceMemory = (): Option =>
  new Option(
    '--device-memory <size>',
    'with --dry-run: plan for a GPU with this much memory, such as 24GiB, instead of the one that is here',
  ).argParser((text) => {
    const bytes = parseByteSize(text);
    if (bytes === undefined) throw new InvalidArgumentError('It is not a size with its unit, such as 24GiB or 80GB.');
    return bytes;
  });

export const protocol = (): Option =>
  new Option('--protocol <name>', 'protocol of published code: LAVT and RMSIN, CARIS, CRIS, LGCE, or GRES')
    .choices(protocolNames)
    .default('lavt');

/** The size at which masks are compared. */
export const at = (): Option =>
  new Option(
    '--at <size>',
    "size at which masks are compared: the model's or the image's; by default, that of the protocol",
  ).choices(['model', 'original']);

export const limit = (): Option =>
  new Option('--limit <n>', 'at most this many samples, spread evenly over the split').argParser(
    between(1, Number.MAX_SAFE_INTEGER),
  );

export const device = (): Option =>
  new Option('--device <device>', 'where to run').choices(['cpu', 'cuda', 'webgpu', 'auto']).default('auto');

export const threads = (): Option =>
  new Option('--threads <n>', 'threads of the CPU provider, 1024 at most').argParser(between(0, 1024));

export const tf32 = (): Option =>
  new Option(
    '--no-tf32',
    'on CUDA, compute products of f32 in f32, and not in TF32, for which it rounds factors to 10 bits of mantissa',
  );

/** For commands that read a data set. */
export const decodeThreads = (): Option =>
  new Option(
    '--decode-threads <n>',
    'threads that decode and resize images beside the model; 0: none, the model waits; by default, as many as there are cores but one, 16 at most',
  ).argParser(between(0, 1024));

export const onBad = (): Option =>
  new Option('--on-bad <what>', 'what to do with a sample that cannot be used')
    .choices(['skip', 'stop'])
    .default('stop');

export const bands = (): Option =>
  new Option(
    '--bands <r,g,b>',
    'bands to show as red, green and blue, such as 4,3,2, or one to show as grey; by default the first three',
  ).argParser((text) => {
    const chosen = parseBands(text);
    if (chosen === undefined) throw new InvalidArgumentError('It is not three bands such as 4,3,2, or one.');
    return chosen;
  });

export const stretch = (): Option =>
  new Option(
    '--stretch <low,high>',
    'percentiles of each band that become black and white, such as 2,98; none keeps dark pictures as they are',
  ).argParser((text) => {
    const chosen = parseStretch(text);
    if (chosen === undefined)
      throw new InvalidArgumentError('It is not two percentiles such as 2,98, the lower first, or none.');
    return chosen;
  });

export function wholeNumber(text: string): number {
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < 0) throw new InvalidArgumentError('It is not a whole number.');
  return n;
}

/** Returns a parser for an integer from `low` to `high`. Values outside are errors before anything is read or built. */
export function between(low: number, high: number): (text: string) => number {
  return (text) => {
    const n = wholeNumber(text);
    if (n < low) throw new InvalidArgumentError(`Too few: ${low.toLocaleString('en')} or more.`);
    if (n > high) throw new InvalidArgumentError(`Too many: ${high.toLocaleString('en')} at most.`);
    return n;
  };
}

/** Parses a number of seeds, which count from 0, or a list of them such as `0,4,7`. */
export function seedList(text: string): readonly number[] {
  const numbers = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
  const [only] = numbers;
  if (!numbers.every(Number.isSafeInteger) || only === undefined)
    throw new InvalidArgumentError('It is neither a number of seeds nor a list of them such as 0,4,7.');
  if (numbers.length === 1) {
    if (only < 1 || only > mostSeeds) throw new InvalidArgumentError(`There are 1 to ${mostSeeds} seeds.`);
    return Array.from({ length: only }, (_, i) => i);
  }
  if (new Set(numbers).size < numbers.length) throw new InvalidArgumentError('A seed is there twice.');
  return numbers;
}

/** More trainings of each model than anybody compares. */
const mostSeeds = 1000;

/** The ends of a range of sizes, such as `H=256..1024`. */
export interface NamedRange {
  readonly name: string;
  readonly low: number;
  readonly high: number;
}

export function namedRange(text: string): NamedRange {
  const [, name = '', low = '', high = ''] = /^([\p{L}_][\p{L}\p{N}_]*)=(\d{1,5})\.\.(\d{1,5})$/u.exec(text) ?? [];
  const range = { name, low: Number(low), high: Number(high) };
  if (name === '' || range.low < 1 || range.high < range.low)
    throw new InvalidArgumentError('It is not a name and two sizes such as H=256..1024, the smaller first.');
  return range;
}

export function positive(text: string): number {
  const n = Number(text);
  if (!(n > 0 && Number.isFinite(n))) throw new InvalidArgumentError('It is not a number above 0.');
  return n;
}

/** Splits `H=480,W=480` into two settings; commas inside brackets or quotes do not separate. */
function splitSettings(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let part = '';
  let quoted = false;
  for (const c of text) {
    if (c === '"') quoted = !quoted;
    if (!quoted && '([{'.includes(c)) depth++;
    if (!quoted && ')]}'.includes(c)) depth--;
    if (c === ',' && depth === 0 && !quoted) {
      parts.push(part);
      part = '';
    } else {
      part += c;
    }
  }
  parts.push(part);
  return parts.map((p) => p.trim()).filter((p) => p !== '');
}
