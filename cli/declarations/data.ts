import { type Command, Option } from 'commander';
import { bands, between, onSizeMismatch, stretch, wholeNumber } from '../options.ts';
import type { Setting } from './setting.ts';

export function addData(program: Command, setting: Setting): void {
  const data = program.command('data').description('draw and check data sets, print statistics, make vocabularies');
  for (const add of dataCommands) add(data, setting);
}

function addDataCheck(data: Command, { io, exit }: Setting): void {
  data
    .command('check')
    .description('check every line and every pixel of a data set; reports errors with file and line')
    .argument('<dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('--split <name>', 'one split; by default, all')
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .action(async (dir: string, options) => exit((await import('../commands/data.ts')).checkData(io, dir, options)));
}

function addDataStats(data: Command, { io, exit }: Setting): void {
  data
    .command('stats')
    .description('count words, categories, attributes, sizes and mask areas')
    .argument('<dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('--split <name>', 'one split; by default, all')
    .option(
      '--figure <file>',
      'draw lengths of phrases, mask areas and categories as .svg, .pdf or .png, all splits together',
    )
    .option('--cloud <file>', 'draw the 50 most frequent words as .svg, .pdf or .png')
    .option('--json', 'print as JSON')
    .action(async (dir: string, options) => exit((await import('../commands/data.ts')).statistics(io, dir, options)));
}

function addDataVocab(data: Command, { io, exit }: Setting): void {
  data
    .command('vocab')
    .description('make a WordPiece vocabulary of the phrases')
    .argument('<dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('-o, --out <file>', 'file to write; by default, vocab.txt in the folder')
    .option('--size <n>', 'most word pieces, up to 1,000,000', between(1, 1_000_000), 2560)
    .option('--split <name>', 'the split whose phrases are used', 'train')
    .action(async (dir: string, options) => exit((await import('../commands/data.ts')).vocabulary(io, dir, options)));
}

function addDataSynth(data: Command, { io, exit }: Setting): void {
  data
    .command('synth')
    .description(
      'draw a data set: scenes seen from above with phrases and exact masks; the same options give the same files',
    )
    .requiredOption('-o, --out <dir>', 'a new folder, or the folder of an interrupted run with the same options')
    .option('--scenes <n>', 'how many scenes to draw, 1,000,000 at most', between(1, 1_000_000), 1000)
    .option('--size <pixels>', 'side of the images, 64 to 1024', wholeNumber, 128)
    .option('--seed <n>', 'seed of everything drawn', wholeNumber, 0)
    .option('--phrases <n>', 'phrases per scene, each for a different object', wholeNumber, 2)
    .option('--val <share>', 'scenes for validation: a share such as 0.1, or a number', '0.1')
    .option('--test <share>', 'scenes for the test: a share such as 0.1, or a number', '0.1')
    .addOption(
      new Option(
        '--difficulty <kind>',
        'few large objects, or many of every category; by default, easy below 256 pixels',
      ).choices(['easy', 'standard']),
    )
    .option('--objects <low,high>', 'fewest and most objects per scene; by default 3,4 if easy and 5,8 if standard')
    .option('--json', 'print what was drawn as JSON')
    .action(async (options) => exit((await import('../commands/data-synth.ts')).dataSynth(io, options)));
}

const dataCommands = [addDataCheck, addDataStats, addDataVocab, addDataSynth];
