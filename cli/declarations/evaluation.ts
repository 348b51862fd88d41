import { type Command, Option } from 'commander';
import { UsageError } from '../../runtime/files/usage-error.ts';
import {
  at,
  bands,
  between,
  decodeThreads,
  device,
  deviceMemory,
  limit,
  onBad,
  onSizeMismatch,
  positive,
  protocol,
  recompute,
  seedList,
  set,
  stretch,
  tf32,
  threads,
  truncation,
  wholeNumber,
} from '../options.ts';
import { flagOf, givenIn, type Setting } from './setting.ts';

export function addEval(program: Command, { io, exit }: Setting): void {
  program
    .command('eval')
    .description('evaluate a model on a data set: oIoU, mIoU, Pr@0.5 to 0.9; table, JSON, CSV and a page with pictures')
    .argument(
      '[file]',
      'a .crob file, or a trained model: the folder of a training, or its .safetensors; none with --compare',
    )
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .option(
      '-w, --weights <file>',
      'trained weights, as safetensors or a PyTorch checkpoint; without it, the results mean nothing',
    )
    .option(
      '--via <map>',
      'the weights map of the .crob file for published names in --weights; by default, the known one that fits',
    )
    .option('-d, --data <dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_test.jsonl')
    .option('--split <name>', 'the split to evaluate', 'test')
    .addOption(protocol())
    .addOption(at())
    .option('--no-phrases', 'blank every phrase, to measure what the model finds without words')
    .option(
      '--tokenizer <file>',
      "vocab.txt or tokenizer.json of the text encoder; by default, the vocabulary in the weights, else the data set's own vocab.txt",
    )
    .addOption(truncation())
    .addOption(set())
    .addOption(device())
    .addOption(
      new Option('--dtype <dtype>', 'float type of the graph; bf16 runs on CUDA alone')
        .choices(['f32', 'f16', 'bf16'])
        .default('f32'),
    )
    .addOption(tf32())
    .addOption(threads())
    .addOption(decodeThreads())
    .option('--batch <n>', 'images per run of the model', between(1, Number.MAX_SAFE_INTEGER), 8)
    .addOption(limit())
    .addOption(onBad())
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .option(
      '--pictures <n>',
      'number of best, worst and random samples to show on the page, 1000 of each at most',
      between(0, 1000),
      12,
    )
    .option(
      '--compare <reports...>',
      'print reports (<Model>.<split>.json) side by side, with differences from the first',
    )
    .option('--seed <n>', 'seed of random samples, of resampling, and of initial weights', wholeNumber, 0)
    .option('-o, --out <dir>', 'folder to write to', 'out')
    .option('--json', 'print the result as JSON')
    .addOption(new Option('--latex', 'print the table in LaTeX, for the package booktabs').conflicts('json'))
    .action(async (file: string | undefined, options, command: Command) => {
      if (options.compare !== undefined) {
        if (file !== undefined) throw new UsageError('--compare takes reports and no .crob file');
        const unused = [...givenIn(command)].find((name) => !['compare', 'seed', 'json', 'latex'].includes(name));
        if (unused !== undefined)
          throw new UsageError(`--compare reads reports, and ${flagOf(command, unused)} has no effect: leave it out`);
        await exit((await import('../commands/eval-compare.ts')).compare(io, options.compare, options));
      } else if (file === undefined || options.data === undefined) {
        throw new UsageError('eval needs a .crob file or a trained model, and --data; or --compare with reports');
      } else {
        await exit((await import('../commands/eval.ts')).evaluation(io, file, options));
      }
    });
}

export function addCompare(program: Command, { io, exit }: Setting): void {
  program
    .command('compare')
    .description('train and evaluate models with several seeds, and compare them: tables and plots; can be continued')
    .argument(
      '<models...>',
      'file.crob:Model, a file for all of its models, or @list.txt for those of a list, @list.txt:group for some of it',
    )
    .requiredOption('-d, --data <dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('--split <name>', 'the split to evaluate', 'test')
    .option('-r, --recipe <name>', 'which recipe of the models; by default, the first of each')
    .addOption(set())
    .option('--steps <n>', "number of steps of each training; by default, the recipe's length", wholeNumber)
    .option(
      '--minutes <m>',
      'time of each training instead: all have as many steps as the slowest model takes in it, by its measured pace',
      positive,
    )
    .addOption(
      new Option('--seeds <n>', 'how many seeds, from 0, or a list such as 0,4,7; each model is trained with each')
        .argParser(seedList)
        .default([0, 1, 2], '3'),
    )
    .option('--baseline <model>', 'the model with which the others are compared; by default, the first')
    .addOption(protocol())
    .addOption(at())
    .addOption(limit())
    .addOption(new Option('--backend <name>', 'the back end that trains').choices(['onnx', 'tfjs']).default('onnx'))
    .addOption(device())
    .addOption(threads())
    .option('--tokenizer <file>', "vocab.txt or tokenizer.json; by default, the data set's own vocab.txt")
    .addOption(truncation())
    .option('--no-phrases', 'blank every phrase, in training and evaluation')
    .addOption(onBad())
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .addOption(recompute())
    .option('--redo', 'train again what is in the folder from another source, recipe, budget or data')
    .option('--dry-run', 'print what would run, with the time and the memory that it takes, and run nothing')
    .addOption(deviceMemory())
    .option('-o, --out <dir>', 'folder to write to; what is in it is continued', 'out')
    .option('--json', 'print the result as JSON')
    .option('--markdown', 'print the tables as Markdown')
    .option('--csv', 'print as CSV, a row for each model and metric')
    .option('--latex', 'print the table in LaTeX, for the package booktabs')
    .action(async (models: string[], options) =>
      exit((await import('../commands/compare.ts')).compareModels(io, models, options)),
    );
}
