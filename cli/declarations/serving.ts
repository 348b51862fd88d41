import { type Command, Option } from 'commander';
import { between, device, positive, set, tf32, threads, truncation, wholeNumber } from '../options.ts';
import { givenIn, type Setting } from './setting.ts';

export function addServe(program: Command, { io, exit }: Setting): void {
  program
    .command('serve')
    .description("answer requests by HTTP: KServe's v2 protocol, POST /predict, a page to try it, and metrics")
    .argument(
      '<model>',
      'a trained model (the folder of a training, or its .safetensors), a folder of crobc build, or a .crob file',
    )
    .option('-m, --model <name>', 'which model of the file or the folder; by default, the first')
    .option('--host <address>', 'address to listen on; 0.0.0.0 for all, though there is no authentication', '127.0.0.1')
    .option('--port <n>', 'port to listen on; 0 for any that is free', between(0, 65_535), 8080)
    .option(
      '--max-batch <n>',
      'most images that one run takes, of one request or of several; by default 8, and on the CPU one for each request',
      between(1, 1024),
    )
    .option('--max-delay <ms>', 'milliseconds that a run waits for further requests', between(0, 60_000), 0)
    .option(
      '--max-pending <n>',
      'most requests that are accepted and not yet answered; others get 429 and Retry-After',
      between(1, 100_000),
      64,
    )
    .option('--max-body <MiB>', 'most of a request', between(1, 1024), 32)
    .option(
      '--max-pixels <n>',
      'most pixels of an image, checked before it is decoded',
      between(1, 100_000_000),
      25_000_000,
    )
    .option('--timeout <seconds>', 'within which a request is answered; later ones get 504', positive, 60)
    .option(
      '-w, --weights <file>',
      'for a .crob file: trained weights, as safetensors or a PyTorch checkpoint; without it, the weights are random',
    )
    .option(
      '--via <map>',
      'the weights map of the .crob file for published names in --weights; by default, the known one that fits',
    )
    .option(
      '--tokenizer <file>',
      'vocab.txt or tokenizer.json of the text encoder; by default, the vocabulary in the weights or the folder',
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
    .option('--seed <n>', 'seed of initial weights', wholeNumber, 0)
    .option('-o, --out <dir>', 'folder below which a model is built', 'out')
    .option('--json', 'print each line of the log as JSON')
    .addHelpText(
      'after',
      `
Ask for a mask:
  curl -F image=@scene.png -F text="the white ship" -H 'Accept: image/png' http://127.0.0.1:8080/predict -o mask.png
  curl -F image=@scene.png -F text="the white ship" http://127.0.0.1:8080/predict
as PNG, or as JSON with the score, the box and the mask as COCO's run lengths; application/geo+json gives polygons.
The page at / does the same. Ctrl-C or SIGTERM: what was accepted is answered, then the server ends.`,
    )
    .action(async (model: string, options, command: Command) =>
      exit((await import('../commands/serve.ts')).serve(io, model, options, givenIn(command))),
    );
}
