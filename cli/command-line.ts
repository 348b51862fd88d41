import { Argument, Command, Option } from 'commander';
import { visibleLines } from '../compiler/diagnostics/visible.ts';
import { protocolNames } from '../compiler/elaborate/source/recipe-tables.ts';
import { packageVersion } from '../runtime/files/package-root.ts';
import { UsageError } from '../runtime/files/usage-error.ts';
import { terminalWidth } from '../runtime/process/terminal.ts';
import { requireAddressSpace } from './address-space.ts';
import { completionScript, type Shell, shells } from './completion.ts';
import { teachForeignOptions } from './foreign-options.ts';
import { refuseRepeated } from './given-once.ts';
import type { Invocation } from './io.ts';
import {
  bands,
  between,
  expose,
  onSizeMismatch,
  positive,
  recompute,
  seedList,
  set,
  stretch,
  truncation,
  wholeNumber,
} from './options.ts';
import { printRendered, printText } from './print.ts';
import { reporters } from './reporters.ts';

/** What a command runs with, and the callback for its exit code. */
interface Setting {
  readonly io: Invocation;
  exit(code: Promise<number> | number): Promise<void>;
}

const startHere = `
Start here:
  crobc init ships                          a folder with a variant, a recipe and a README
  crobc check models/crobim.crob            prove every shape (no output: all are right)
  crobc summary models/crobim.crob          modules, parameters, FLOPs
  crobc build models/crobim.crob -o out     CroBIM.onnx, weights, manifest, typed client
  crobc predict models/crobim.crob --model CroBIM --image scene.png --text "the white ship" -o out
  crobc data synth -o scenes                draw scenes with phrases and masks, to train on
  crobc train models/crobim.crob --model CroBIM_micro --data scenes -o run`;

/** Width of help texts if the output is not a terminal. */
const helpWidth = 80;

/**
 * Creates the commands for one run (commander keeps parsed options). Each command loads its code when it runs, so that
 * `crobc check` starts without loading the runtime. `ended` receives the exit code of the command.
 */
export function commandLine(io: Invocation, ended: (code: number) => void): Command {
  const program = new Command('crobc')
    .description('Compiles .crob, a declarative language for model graphs: proves the shapes, runs and trains.')
    .version(packageVersion())
    .showHelpAfterError('(crobc --help lists the commands, crobc COMMAND --help the options of one)')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: (text) => printText(io, text),
      writeErr: (text) => printRendered(io, visibleLines(text)),
      getOutHelpWidth: () => terminalWidth(io.stdout) ?? helpWidth,
      getErrHelpWidth: () => terminalWidth(io.stderr) ?? helpWidth,
    })
    // Checked before the code of a command is loaded, since loading it may already end the process.
    .hook('preAction', (_, command) => {
      if (command.opts().compare === undefined) requireAddressSpace(nameOf(command));
    })
    .addHelpText('after', startHere);
  const setting: Setting = { io, exit: async (code) => ended(await code) };
  for (const add of commands) add(program, setting);
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    refuseRepeated(command);
    teachForeignOptions(command);
  }
  return program;
}

/** The full name of a command, such as `data check` for a subcommand. */
function nameOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${nameOf(parent)} ${command.name()}` : command.name();
}

/** Names of the options that were given on the command line, without those that have their default. */
function givenIn(command: Command): ReadonlySet<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'));
}

function flagOf(command: Command, name: string): string {
  return command.options.find((option) => option.attributeName() === name)?.long ?? name;
}

function addInit(program: Command, { io, exit }: Setting): void {
  program
    .command('init')
    .description('write a folder to start from: a variant of CroBIM_micro with a recipe, and a README with commands')
    .argument('[folder]', 'created if it does not exist', '.')
    .action(async (folder: string) => exit((await import('./commands/init.ts')).init(io, folder)));
}

function addCheck(program: Command, { io, exit }: Setting): void {
  program
    .command('check')
    .description('check .crob files: names, shapes, variants, recipes; reports all errors in one run')
    .argument(
      '[files...]',
      'files, folders, or patterns such as "models/**/*.crob"; by default, all .crob files below the working folder',
    )
    .addOption(
      new Option('--reporter <kind>', 'how messages are printed: for people, or for programs and CI servers')
        .choices(reporters)
        .default('pretty'),
    )
    .option('--guards', 'list the conditions on input sizes that are checked before each run')
    .option(
      '--lock [file]',
      'compare signatures, graphs, parameters and FLOP of all models with a lock file, by default crob.lock',
    )
    .option('--update-lock', 'write the lock file for the models as they are')
    .option('--watch', 'check again whenever a file changes, but only what depends on it; Ctrl-C ends')
    .action(async (files: string[], options) => exit((await import('./commands/check.ts')).check(io, files, options)));
}

function addBuild(program: Command, { io, exit }: Setting): void {
  program
    .command('build')
    .description('build a model: <Model>.onnx, its weights, a manifest and a typed TypeScript client')
    .argument('<file>', 'a .crob file, or a trained model: the folder of a training, or its .safetensors')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .option(
      '-w, --weights <file>',
      'trained weights, as safetensors or a PyTorch checkpoint; without it, initial weights drawn from --seed',
    )
    .option(
      '--via <map>',
      'the weights map of the .crob file for published names in --weights; by default, the known one that fits',
    )
    .option('--no-weights', 'write the graph without a weights file')
    .addOption(
      new Option('--target <target>', 'onnx, or tfjs: TensorFlow.js programs that run the model and train it')
        .choices(['onnx', 'tfjs'])
        .default('onnx'),
    )
    .addOption(
      expose(
        'give named values, such as lgfa.stage[*].attention, as further outputs; may be repeated; `list` prints what there is',
      ),
    )
    .addOption(recompute())
    .addOption(new Option('--dtype <dtype>', 'float type of the graph').choices(['f32', 'f16']).default('f32'))
    .option('--seed <n>', 'seed of initial weights', wholeNumber, 0)
    .option(
      '--print-after <pass>',
      'print the graph after a pass and write nothing; `all` for every pass, `list` for their names',
    )
    .option(
      '--explain <rule>',
      'print where a rewrite rule applied, and why not elsewhere, and write nothing; `list` for the names of rules',
    )
    .addOption(
      new Option(
        '--graph <graph>',
        'what --print-after and --explain show: inference, or the training step of the recipe',
      )
        .choices(['inference', 'step'])
        .default('inference'),
    )
    .option('-o, --out <dir>', 'folder to write to', 'out')
    .option('--json', 'print what was built as JSON')
    .action(async (file: string, options, command: Command) =>
      exit((await import('./commands/build.ts')).build(io, file, options, givenIn(command))),
    );
}

function addExpand(program: Command, { io, exit }: Setting): void {
  program
    .command('expand')
    .description('print the flattened model: every operator with its type, its module and its place in the source')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .action(async (file: string, options) => exit((await import('./commands/expand.ts')).expand(io, file, options)));
}

function addPredict(program: Command, { io, exit }: Setting): void {
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
    .addOption(
      new Option('--device <device>', 'where to run').choices(['cpu', 'cuda', 'webgpu', 'auto']).default('auto'),
    )
    .addOption(new Option('--dtype <dtype>', 'float type of the graph').choices(['f32', 'f16']).default('f32'))
    .option('--threads <n>', 'threads of the CPU provider, 1024 at most', between(0, 1024))
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
    .action(async (file: string, options) => exit((await import('./commands/predict.ts')).predict(io, file, options)));
}

function addSummary(program: Command, { io, exit }: Setting): void {
  program
    .command('summary')
    .description(
      'list modules with shapes, parameters, FLOPs and activation bytes, as polynomials or, with --set, as numbers',
    )
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .option('--depth <n>', 'levels of modules to show', wholeNumber, 2)
    .option('--wide', 'print polynomials in full, however long they are')
    .option('--json', 'print as JSON')
    .action(async (file: string, options) => exit((await import('./commands/summary.ts')).summary(io, file, options)));
}

function addDescribe(program: Command, { io, exit }: Setting): void {
  program
    .command('describe')
    .description('list what is inside a model: what can be set, the names of weights in files, the equations')
    .argument('<file>', 'a .crob file')
    .argument('[path]', 'only what is at and below this path, such as mid.layer[0]; by default, the whole model')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .option('--depth <n>', 'how many levels of parts to list', wholeNumber, 1)
    .option('--json', 'print every path separately, at any depth, as JSON')
    .action(async (file: string, path: string | undefined, options) =>
      exit((await import('./commands/describe.ts')).describe(io, file, path, options)),
    );
}

function addDiff(program: Command, { io, exit }: Setting): void {
  program
    .command('diff')
    .description('compare two models by their parts, or the models of the working tree with those of a git revision')
    .argument(
      '[models...]',
      'two models, as file.crob:Model or a file with one model; with --base, models, files, folders or patterns, by default all',
    )
    .option('--base <revision>', 'compare the working tree with a git revision such as main or HEAD~1')
    .addOption(set())
    .option('--depth <n>', 'levels of modules to show', wholeNumber, 1)
    .option('--wide', 'print long cells and long lists in full')
    .option('--exit-code', 'exit with 1 if a graph differs, with 0 if not')
    .option('--svg <file>', 'draw both models side by side, with colours for what differs')
    .option('--markdown', 'print as Markdown, for a comment of a pull request')
    .option('--json', 'print as JSON')
    .action(async (models: string[], options) => exit((await import('./commands/diff.ts')).diff(io, models, options)));
}

function addGraph(program: Command, { io, exit }: Setting): void {
  program
    .command('graph')
    .description('draw a model: its parts as boxes, with the shapes of the values between them')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .option('--depth <n>', 'levels of parts to draw; by default 2, and 4 for a page', wholeNumber)
    .option('-o, --out <file>', 'a picture, .svg, or a page whose parts fold, .html; by default, <Model>.svg')
    .action(async (file: string, options) => exit((await import('./commands/graph.ts')).graph(io, file, options)));
}

function addTrain(program: Command, { io, exit }: Setting): void {
  program
    .command('train')
    .description('train a model as its recipe declares; writes weights, checkpoints, metrics.jsonl, TensorBoard events')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .option('-r, --recipe <name>', 'which recipe of the model; by default, its first')
    .option('-d, --data <dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .addOption(set())
    .addOption(new Option('--backend <name>', 'the back end that computes').choices(['onnx', 'tfjs']).default('onnx'))
    .addOption(
      new Option('--device <device>', 'where to run').choices(['cpu', 'cuda', 'webgpu', 'auto']).default('auto'),
    )
    .option('--threads <n>', 'threads of the CPU provider, 1024 at most', between(0, 1024))
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
    .option('--seed <n>', "seed of initial weights, order of samples and dropout, instead of the recipe's", wholeNumber)
    .option(
      '-w, --weights <file>',
      'weights to start from, as safetensors or a PyTorch checkpoint; without it, initial weights drawn from the seed',
    )
    .option('--tokenizer <file>', "vocab.txt or tokenizer.json; by default, the data set's own vocab.txt")
    .addOption(truncation())
    .option('--no-phrases', 'blank every phrase, to measure what can be learnt without words')
    .addOption(
      new Option('--on-bad <what>', 'what to do with a sample that cannot be used')
        .choices(['skip', 'stop'])
        .default('stop'),
    )
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .addOption(recompute())
    .option('--resume', 'continue from the last checkpoint in the output folder')
    .option('--dry-run', 'print shapes, parameters, memory, steps and the resolved recipe, and train nothing')
    .option('-o, --out <dir>', 'folder to write to', 'out')
    .option('--json', 'print the result as JSON')
    .action(async (file: string, options) => exit((await import('./commands/train.ts')).train(io, file, options)));
}

function addData(program: Command, setting: Setting): void {
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
    .action(async (dir: string, options) => exit((await import('./commands/data.ts')).checkData(io, dir, options)));
}

function addDataStats(data: Command, { io, exit }: Setting): void {
  data
    .command('stats')
    .description('count words, categories, attributes, sizes and mask areas')
    .argument('<dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('--split <name>', 'one split; by default, all')
    .option(
      '--figure <file>',
      'draw lengths of phrases, mask areas and categories as .svg or .png, all splits together',
    )
    .option('--cloud <file>', 'draw the 50 most frequent words as .svg or .png')
    .option('--json', 'print as JSON')
    .action(async (dir: string, options) => exit((await import('./commands/data.ts')).statistics(io, dir, options)));
}

function addDataVocab(data: Command, { io, exit }: Setting): void {
  data
    .command('vocab')
    .description('make a WordPiece vocabulary of the phrases')
    .argument('<dir>', 'a data set: RISBench, RefSegRS, RRSIS-D, or samples_train.jsonl')
    .option('-o, --out <file>', 'file to write; by default, vocab.txt in the folder')
    .option('--size <n>', 'most word pieces, up to 1,000,000', between(1, 1_000_000), 2560)
    .option('--split <name>', 'the split whose phrases are used', 'train')
    .action(async (dir: string, options) => exit((await import('./commands/data.ts')).vocabulary(io, dir, options)));
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
    .action(async (options) => exit((await import('./commands/data-synth.ts')).dataSynth(io, options)));
}

function addWeights(program: Command, setting: Setting): void {
  const weights = program.command('weights').description('look into files of weights, and import published ones');
  for (const add of weightsCommands) add(weights, setting);
}

function addWeightsInspect(weights: Command, { io, exit }: Setting): void {
  weights
    .command('inspect')
    .description('list the tensors of a file, what stands beside them, and which published model has these names')
    .argument('<file>', 'safetensors, a PyTorch checkpoint, .npz, or the index.json of a model in several files')
    .option('--json', 'print as JSON')
    .action(async (file: string, options) =>
      exit((await import('./commands/weights-inspect.ts')).inspect(io, file, options)),
    );
}

function addWeightsImport(weights: Command, { io, exit }: Setting): void {
  weights
    .command('import')
    .description("write published weights as safetensors with crob's names, and report what was taken")
    .argument('<file>', 'safetensors, a PyTorch checkpoint, .npz, or the index.json of a model in several files')
    .argument('<source>', 'the .crob file of the model')
    .option('-m, --model <name>', 'which model of the .crob file; by default, the first')
    .addOption(set())
    .option('--map <name>', 'the weights map; by default, the one that fits the names best')
    .option('--to <path>', 'the part of the model, such as backbone; by default, every part that the map is for')
    .option(
      '--allow-missing <pattern...>',
      'weights that the file may lack: a part such as backbone.norms[*], or names in weights files with *',
    )
    .option('-o, --out <file>', 'the safetensors file to write; without it, only the report is printed')
    .option('--json', 'print the report as JSON')
    .action(async (file: string, source: string, options) =>
      exit((await import('./commands/weights-import.ts')).importWeights(io, file, source, options)),
    );
}

function addEval(program: Command, { io, exit }: Setting): void {
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
    .addOption(
      new Option('--protocol <name>', 'protocol of published code: LAVT and RMSIN, CARIS, CRIS, LGCE, or GRES')
        .choices(protocolNames)
        .default('lavt'),
    )
    .addOption(
      new Option(
        '--at <size>',
        "size at which masks are compared: the model's or the image's; by default, that of the protocol",
      ).choices(['model', 'original']),
    )
    .option('--no-phrases', 'blank every phrase, to measure what the model finds without words')
    .option(
      '--tokenizer <file>',
      "vocab.txt or tokenizer.json of the text encoder; by default, the vocabulary in the weights, else the data set's own vocab.txt",
    )
    .addOption(truncation())
    .addOption(set())
    .addOption(
      new Option('--device <device>', 'where to run').choices(['cpu', 'cuda', 'webgpu', 'auto']).default('auto'),
    )
    .addOption(new Option('--dtype <dtype>', 'float type of the graph').choices(['f32', 'f16']).default('f32'))
    .option('--threads <n>', 'threads of the CPU provider, 1024 at most', between(0, 1024))
    .option('--batch <n>', 'images per run of the model', between(1, Number.MAX_SAFE_INTEGER), 8)
    .option(
      '--limit <n>',
      'at most this many samples, spread evenly over the split',
      between(1, Number.MAX_SAFE_INTEGER),
    )
    .addOption(
      new Option('--on-bad <what>', 'what to do with a sample that cannot be used')
        .choices(['skip', 'stop'])
        .default('stop'),
    )
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
        await exit((await import('./commands/eval-compare.ts')).compare(io, options.compare, options));
      } else if (file === undefined || options.data === undefined) {
        throw new UsageError('eval needs a .crob file or a trained model, and --data; or --compare with reports');
      } else {
        await exit((await import('./commands/eval.ts')).evaluation(io, file, options));
      }
    });
}

function addCompare(program: Command, { io, exit }: Setting): void {
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
    .addOption(
      new Option('--protocol <name>', 'protocol of published code: LAVT and RMSIN, CARIS, CRIS, LGCE, or GRES')
        .choices(protocolNames)
        .default('lavt'),
    )
    .addOption(
      new Option(
        '--at <size>',
        "size at which masks are compared: the model's or the image's; by default, that of the protocol",
      ).choices(['model', 'original']),
    )
    .option(
      '--limit <n>',
      'at most this many samples, spread evenly over the split',
      between(1, Number.MAX_SAFE_INTEGER),
    )
    .addOption(new Option('--backend <name>', 'the back end that trains').choices(['onnx', 'tfjs']).default('onnx'))
    .addOption(
      new Option('--device <device>', 'where to run').choices(['cpu', 'cuda', 'webgpu', 'auto']).default('auto'),
    )
    .option('--threads <n>', 'threads of the CPU provider, 1024 at most', between(0, 1024))
    .option('--tokenizer <file>', "vocab.txt or tokenizer.json; by default, the data set's own vocab.txt")
    .addOption(truncation())
    .option('--no-phrases', 'blank every phrase, in training and evaluation')
    .addOption(
      new Option('--on-bad <what>', 'what to do with a sample that cannot be used')
        .choices(['skip', 'stop'])
        .default('stop'),
    )
    .addOption(bands())
    .addOption(stretch())
    .addOption(onSizeMismatch())
    .option('--redo', 'train again what is in the folder from another source, recipe, budget or data')
    .option('--dry-run', 'print what would run, with the time that it takes, and run nothing')
    .option('-o, --out <dir>', 'folder to write to; what is in it is continued', 'out')
    .option('--json', 'print the result as JSON')
    .option('--markdown', 'print the tables as Markdown')
    .option('--csv', 'print as CSV, a row for each model and metric')
    .option('--latex', 'print the table in LaTeX, for the package booktabs')
    .action(async (models: string[], options) =>
      exit((await import('./commands/compare.ts')).compareModels(io, models, options)),
    );
}

function addFmt(program: Command, { io, exit }: Setting): void {
  program
    .command('fmt')
    .description('format .crob files in place')
    .argument('[files...]', 'files, folders or patterns; by default, all .crob files below the working folder')
    .option('--check', 'write nothing; exit with 1 if a file is not formatted')
    .action(async (files: string[], options) => exit((await import('./commands/fmt.ts')).fmt(io, files, options)));
}

function addExplain(program: Command, { io, exit }: Setting): void {
  program
    .command('explain')
    .description('explain a message code, with an example')
    .argument('[code]', 'such as CROB2104; by default, lists all codes')
    .action(async (code: string | undefined) => exit((await import('./commands/explain.ts')).explain(io, code)));
}

function addCompletion(program: Command, { io, exit }: Setting): void {
  program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText(
      'after',
      `
To complete in each new shell:
  bash   echo 'source <(crobc completion bash)' >> ~/.bashrc
  zsh    echo 'source <(crobc completion zsh)' >> ~/.zshrc
  fish   crobc completion fish > ~/.config/fish/completions/crobc.fish`,
    )
    .action(async (shell: Shell) => {
      printText(io, completionScript(program, shell));
      await exit(0);
    });
}

function addDoctor(program: Command, { io, exit }: Setting): void {
  program
    .command('doctor')
    .description('tell what runs on this machine, and what to do about what does not')
    .option('--json', 'print as JSON')
    .action(async (options) => exit((await import('./commands/doctor.ts')).doctor(io, options)));
}

const weightsCommands = [addWeightsInspect, addWeightsImport];
const dataCommands = [addDataCheck, addDataStats, addDataVocab, addDataSynth];

/** The commands in the order of the help. */
const commands = [
  addInit,
  addCheck,
  addBuild,
  addExpand,
  addPredict,
  addSummary,
  addDescribe,
  addDiff,
  addGraph,
  addTrain,
  addData,
  addWeights,
  addEval,
  addCompare,
  addFmt,
  addExplain,
  addDoctor,
  addCompletion,
];
