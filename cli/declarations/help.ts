import { Argument, type Command } from 'commander';
import { completionScript, type Shell, shells } from '../completion.ts';
import { printText } from '../print.ts';
import type { Setting } from './setting.ts';

export function addExplain(program: Command, { io, exit }: Setting): void {
  program
    .command('explain')
    .description('explain a message code, with an example')
    .argument('[code]', 'such as CROB2104; by default, lists all codes')
    .action(async (code: string | undefined) => exit((await import('../commands/explain.ts')).explain(io, code)));
}

export function addCompletion(program: Command, { io, exit }: Setting): void {
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
