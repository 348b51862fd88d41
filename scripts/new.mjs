// npm run new -- KIND NAME: writes the skeleton of an operator, a pass, a message or a library module. Places for the
// author contain FILL_IN, an undeclared name, so that the compiler lists them; the tests find those that the compiler
// does not check.
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { Checkout, Refusal } from './new/checkout.mjs';
import { message } from './new/message.mjs';
import { module } from './new/module.mjs';
import { operator } from './new/operator.mjs';
import { pass } from './new/pass.mjs';

const root = process.env.CROBC_ROOT ?? fileURLToPath(new URL('..', import.meta.url));

const program = new Command('npm run new --').description(
  'Writes the skeleton of something new, its test and its place in the documentation. What is left to fill in stands as FILL_IN, which does not compile.',
);

program
  .command('operator')
  .description('an operator on elements: its rows in every table, a test of its values, a built-in function')
  .argument('<name>', 'as in graphs and in source: sign, hypot')
  .addOption(
    new Option('--kind <kind>', 'on one operand or on pairs').choices(['unary', 'binary']).makeOptionMandatory(true),
  )
  .option('--onnx <operator>', 'the operator of ONNX that does the same (Sign)')
  .option('--tfjs <function>', 'the function of TensorFlow.js that does the same (sign)')
  .option('--torch <function>', 'the function of PyTorch that does the same (torch.sign)')
  .addHelpText(
    'after',
    `
Left to fill in is its mathematics: the kernel in float64, the gradient by PyTorch's conventions at kinks and ties, what it is in ONNX,
TensorFlow.js and PyTorch where the options do not say it, its value and slope for the fuzz harness (written without a look
at the kernel), how it rounds, and values by hand. Its row says that runtimes may have kernels for it and its neighbours (memory:
'alone') and that half precision does where its operands are in it; see compiler/ops/row.ts for what else a row can say. The
tests of fields (test/ops/fields.test.ts) fail where a row leaves out what holds.

  npm run new -- operator sign --kind unary --onnx Sign --tfjs sign --torch torch.sign
  npm run new -- operator hypot --kind binary --torch torch.hypot`,
  )
  .action((name, options) => write((checkout) => operator(checkout, name, options)));

program
  .command('pass')
  .description('a pass: its file, its place in the pipeline, a test that shows a graph before and after')
  .argument('<name>', 'as --print-after has it: merge-slices')
  .action((name) => write((checkout) => pass(checkout, name)));

program
  .command('message')
  .description('a message of the catalogue, with the next free code of its group')
  .argument('<group>', 'a file of compiler/diagnostics/messages: syntax, names, shapes, statics, variants')
  .action((group) => write((checkout) => message(checkout, group)));

program
  .command('module')
  .description('a module of the library, with an example and a test of its values')
  .argument('<name>', 'file and module: pooling.BlurPool; a file that is missing is made')
  .action((name) => write((checkout) => module(checkout, name)));

program.parse();

function write(make) {
  const checkout = new Checkout(root);
  try {
    const { notes } = make(checkout);
    for (const file of checkout.write()) console.log(`wrote ${file}`);
    console.log(`\n${notes.join('\n')}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    console.error(`error: ${error.message}`);
    process.exitCode = 1;
  }
}
