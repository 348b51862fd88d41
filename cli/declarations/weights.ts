import type { Command } from 'commander';
import { set } from '../options.ts';
import type { Setting } from './setting.ts';

export function addWeights(program: Command, setting: Setting): void {
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
      exit((await import('../commands/weights-inspect.ts')).inspect(io, file, options)),
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
      exit((await import('../commands/weights-import.ts')).importWeights(io, file, source, options)),
    );
}

const weightsCommands = [addWeightsInspect, addWeightsImport];
