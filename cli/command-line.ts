import { Command } from 'commander';
import { visibleLines } from '../compiler/diagnostics/visible.ts';
import { packageVersion } from '../runtime/files/package-root.ts';
import { terminalWidth } from '../runtime/process/terminal.ts';
import { requireAddressSpace } from './address-space.ts';
import { addData } from './declarations/data.ts';
import { addCompare, addEval } from './declarations/evaluation.ts';
import { addCompletion, addExplain } from './declarations/help.ts';
import { addDoctor, addSetup } from './declarations/machine.ts';
import {
  addBuild,
  addCheck,
  addDescribe,
  addDiff,
  addExpand,
  addFmt,
  addGraph,
  addInit,
  addSummary,
} from './declarations/models.ts';
import { addPredict, addTrain } from './declarations/running.ts';
import { addServe } from './declarations/serving.ts';
import type { Setting } from './declarations/setting.ts';
import { addWeights } from './declarations/weights.ts';
import { teachForeignOptions } from './foreign-options.ts';
import { refuseRepeated } from './given-once.ts';
import type { Invocation } from './io.ts';
import { printRendered, printText } from './print.ts';

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

/** The commands in the order of the help. */
const commands = [
  addInit,
  addCheck,
  addBuild,
  addExpand,
  addPredict,
  addServe,
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
  addSetup,
  addCompletion,
];
