import { type Command, Option } from 'commander';
import { targets } from '../../compiler/emit/onnx/profile.ts';
import { CollectingOption } from '../given-once.ts';
import { between, expose, namedRange, recompute, set, wholeNumber } from '../options.ts';
import { reporters } from '../reporters.ts';
import { givenIn, type Setting } from './setting.ts';

export function addInit(program: Command, { io, exit }: Setting): void {
  program
    .command('init')
    .description('write a folder to start from: a variant of CroBIM_micro with a recipe, and a README with commands')
    .argument('[folder]', 'created if it does not exist', '.')
    .action(async (folder: string) => exit((await import('../commands/init.ts')).init(io, folder)));
}

export function addCheck(program: Command, { io, exit }: Setting): void {
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
    .option(
      '--cache',
      'keep results, and use those of files of which nothing has changed; in node_modules/.cache/crobc, or in the cache folder of the user',
    )
    .option('--cache-folder <folder>', 'the same, in this folder')
    .option('--watch', 'check again whenever a file changes, but only what depends on it; Ctrl-C ends')
    .action(async (files: string[], options) => exit((await import('../commands/check.ts')).check(io, files, options)));
}

export function addBuild(program: Command, { io, exit }: Setting): void {
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
      new Option(
        '--target <target>',
        'onnx; tfjs: TensorFlow.js programs that run the model and train it; torch: a Python package with PyTorch modules; triton: a folder in a model repository of Triton',
      )
        .choices(['onnx', 'tfjs', 'torch', 'triton'])
        .default('onnx'),
    )
    .option('-r, --recipe <name>', 'for torch: which recipe of the model trains it; by default, its first')
    .option('--max-batch <n>', 'for triton: most requests that one run answers; by default, 8', between(1, 4096))
    .option('--tensorrt', 'for triton: run the model by TensorRT, built for the sizes that its conditions leave')
    .addOption(
      new CollectingOption(
        '--range <name=low..high>',
        'for triton: the sizes of an open dim for --tensorrt, such as H=256..1024; may be repeated',
        (text) => [namedRange(text)],
      ),
    )
    .addOption(
      expose(
        'give named values, such as lgfa.stage[*].attention, as further outputs; may be repeated; `list` prints what there is',
      ),
    )
    .addOption(recompute())
    .addOption(
      new Option('--dtype <dtype>', 'float type of the graph; bf16 runs on CUDA alone')
        .choices(['f32', 'f16', 'bf16'])
        .default('f32'),
    )
    .addOption(
      new Option(
        '--for <device>',
        'what the ONNX graph is written for: portable, any implementation of ONNX; the others may use what onnxruntime has for that device',
      )
        .choices(targets)
        .default('portable'),
    )
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
      exit((await import('../commands/build.ts')).build(io, file, options, givenIn(command))),
    );
}

export function addExpand(program: Command, { io, exit }: Setting): void {
  program
    .command('expand')
    .description('print the flattened model: every operator with its type, its module and its place in the source')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .action(async (file: string, options) => exit((await import('../commands/expand.ts')).expand(io, file, options)));
}

export function addSummary(program: Command, { io, exit }: Setting): void {
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
    .action(async (file: string, options) => exit((await import('../commands/summary.ts')).summary(io, file, options)));
}

export function addDescribe(program: Command, { io, exit }: Setting): void {
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
      exit((await import('../commands/describe.ts')).describe(io, file, path, options)),
    );
}

export function addDiff(program: Command, { io, exit }: Setting): void {
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
    .option('--picture <file>', 'draw both models side by side, with colours for what differs: .svg, .pdf or .png')
    .option('--markdown', 'print as Markdown, for a comment of a pull request')
    .option('--json', 'print as JSON')
    .action(async (models: string[], options) => exit((await import('../commands/diff.ts')).diff(io, models, options)));
}

export function addGraph(program: Command, { io, exit }: Setting): void {
  program
    .command('graph')
    .description('draw a model: its parts as boxes, with the shapes of the values between them')
    .argument('<file>', 'a .crob file')
    .option('-m, --model <name>', 'which model of the file; by default, the first')
    .addOption(set())
    .option('--depth <n>', 'levels of parts to draw; by default 2, and 4 for a page', wholeNumber)
    .option(
      '-o, --out <file>',
      'a picture, .svg, .pdf or .png, or a page whose parts fold, .html; by default, <Model>.svg',
    )
    .action(async (file: string, options) => exit((await import('../commands/graph.ts')).graph(io, file, options)));
}

export function addFmt(program: Command, { io, exit }: Setting): void {
  program
    .command('fmt')
    .description('format .crob files in place')
    .argument('[files...]', 'files, folders or patterns; by default, all .crob files below the working folder')
    .option('--check', 'write nothing; exit with 1 if a file is not formatted')
    .action(async (files: string[], options) => exit((await import('../commands/fmt.ts')).fmt(io, files, options)));
}
