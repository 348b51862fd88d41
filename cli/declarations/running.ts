import { type Command, Option } from 'commander';
import { precisionNames } from '../../compiler/elaborate/source/recipe-tables.ts';
import {
  bands,
  between,
  decodeThreads,
  device,
  deviceMemory,
  expose,
  onBad,
  onSizeMismatch,
  recompute,
  set,
  stretch,
  tf32,
  threads,
  truncation,
  wholeNumber,
} from '../options.ts';
import type { Setting } from './setting.ts';

export function addPredict(program: Command, { io, exit }: Setting): void {
  program
    .command('predict')
    .description('predict a mask for an image and a sentence: mask PNG, overlay PNG, JSON')
    .argument('<file>', 'a .crob file, or a trained model: the folder of a training, or its .safetensors')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .option('-i, --image <file>', 'PNG, JPEG, TIFF or WebP, or a folder of them')
    .option(
      '--list <file>',
      'images and phrases, instead of --image and --text: CSV with the columns image and text, or such JSON lines',
    )
    .option('-t, --text <sentence>', 'what to find; not for a model without words')
    .option(
      '-w, --weights <file>',
      'trained weights, as safetensors or a PyTorch checkpoint; without it, the weights are random, and so is the mask',
    )
    .option(
      '--via <map>',
      'the weights map of the .crob file for published names in --weights; by default, the known one that fits',
    )
    .option(
      '--tokenizer <file>',
      'vocab.txt or tokenizer.json of the text encoder; by default, the vocabulary in the weights, else the aerial one that ships with crobc',
    )
    .addOption(truncation())
    .addOption(bands())
    .addOption(stretch())
    .addOption(set())
    .addOption(device())
    .addOption(
      new Option('--dtype <dtype>', 'float type of the graph; bf16 runs on CUDA alone')
        .choices(['f32', 'f16', 'bf16'])
        .default('f32'),
    )
    .addOption(tf32())
    .addOption(threads())
    .option('--seed <n>', 'seed of initial weights', wholeNumber, 0)
    .option(
      '--tile [pixels]',
      "predict in tiles of this width at full resolution, for scenes of any size; by default, the model's own",
      between(1, 65_536),
    )
    .option(
      '--overlap <pixels>',
      'with --tile: by how much tiles overlap; by default, a quarter of a tile',
      wholeNumber,
    )
    .option('--global', 'with --tile: let the whole scene at low resolution count for half, for "the leftmost ship"')
    .option('--geojson', 'with --tile: write polygons too, in the coordinates of the scene')
    .option('--resume', 'with --tile, a folder or a list: continue an unfinished run')
    .option(
      '--attention [pattern]',
      'draw where the words look: heat maps over the image, on sheets and one by one; by default, of every layer that can be drawn',
    )
    .addOption(expose('write named values, such as lgfa.stage[*].attention, as .npy files; may be repeated'))
    .addOption(
      new Option(
        '--on-bad <what>',
        'with a folder or a list: what to do with an image that cannot be predicted; by default, stop',
      ).choices(['skip', 'stop']),
    )
    .option('-o, --out <dir>', 'folder to write to', 'out')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options) => exit((await import('../commands/predict.ts')).predict(io, file, options)));
}

export function addTrain(program: Command, { io, exit }: Setting): void {
  program
    .command('train')
    .description('train a model as its recipe declares; writes weights, checkpoints, metrics.jsonl, TensorBoard events')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .option('-r, --recipe <name>', 'which recipe of the model; by default, its first')
    .option('-d, --data <dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .addOption(set())
    .addOption(
      new Option('--backend <name>', 'the back end that computes; torch runs a PyTorch program in Python')
        .choices(['onnx', 'tfjs', 'torch'])
        .default('onnx'),
    )
    .option(
      '--python <program>',
      'with --backend torch: the Python that has PyTorch; by default, CROBC_PYTHON, else python3 on the PATH',
    )
    .addOption(
      new Option('--processes <n>', 'with --backend torch: processes that share each batch; one by default').argParser(
        between(1, 1024),
      ),
    )
    .option('--fsdp', 'with --backend torch: shard weights and the state of the optimizer over the processes')
    .option('--crob-draws', "with --backend torch: draw dropout as the other back ends do, instead of PyTorch's draws")
    .addOption(device())
    .addOption(threads())
    .addOption(decodeThreads())
    .option(
      '--steps <n>',
      "number of steps, instead of the recipe's length; same as --set recipe.steps=<n>",
      wholeNumber,
    )
    .option('--epochs <n>', "passes over the data, instead of the recipe's length; same as --set recipe.epochs=<n>")
    .option('--lr <x>', "learning rate, instead of the recipe's; same as --set recipe.lr=<x>")
    .option(
      '--batch-size <n>',
      "batch size, instead of the recipe's; same as --set B=<n>",
      between(1, Number.MAX_SAFE_INTEGER),
    )
    .addOption(
      new Option(
        '--precision <type>',
        "precision of products and convolutions, instead of the recipe's: by default, tf32 on CUDA and f32 elsewhere; same as --set recipe.precision=<type>",
      ).choices(precisionNames),
    )
    .option('--seed <n>', "seed of initial weights, order of samples and dropout, instead of the recipe's", wholeNumber)
    .option(
      '-w, --weights <file>',
      'weights to start from, as safetensors or a PyTorch checkpoint; without it, initial weights drawn from the seed',
    )
    .option('--tokenizer <file>', "vocab.txt or tokenizer.json; by default, the data set's own vocab.txt")
    .addOption(truncation())
    .option('--no-phrases', 'blank every phrase, to measure what can be learnt without words')
    .addOption(onBad())
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .addOption(recompute())
    .option('--resume', 'continue from the last checkpoint in the output folder')
    .option('--dry-run', 'print shapes, parameters, memory, steps and the resolved recipe, and train nothing')
    .addOption(deviceMemory())
    .option('-o, --out <dir>', 'folder to write to', 'out')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options) => exit((await import('../commands/train.ts')).train(io, file, options)));
}
