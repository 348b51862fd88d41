import type { Command, Option } from 'commander';

/** The shells for which `crobc completion` prints a script. */
export const shells = ['bash', 'zsh', 'fish'] as const;

export type Shell = (typeof shells)[number];

/** A command as completion needs it. */
interface Completed {
  /** Words of the command: `data check`; empty for crobc itself. */
  readonly path: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly Option[];
  /** Values of the command's first argument, if it has a fixed list of them. */
  readonly values: readonly string[];
}

/** Returns the script that a shell reads to complete commands, options and their values; file names where others are taken. */
export function completionScript(program: Command, shell: Shell): string {
  const commands = completed(program, '');
  if (shell === 'fish') return fishScript(commands);
  const start = shell === 'zsh' ? 'autoload -U +X bashcompinit && bashcompinit\n' : '';
  return `${start}${bashScript(commands)}`;
}

function completed(command: Command, path: string): Completed[] {
  const own = {
    path,
    subcommands: command.commands.map((one) => ({ name: one.name(), description: one.description() })),
    options: command.options.filter(({ hidden }) => !hidden),
    values: command.registeredArguments[0]?.argChoices ?? [],
  };
  const below = command.commands.flatMap((one) => completed(one, `${path} ${one.name()}`.trim()));
  return [own, ...below];
}

function flagsOf({ long, short }: Option): string[] {
  return [long, short].filter((flag) => typeof flag === 'string');
}

function takesValue({ required, optional }: Option): boolean {
  return required || optional;
}

function bashScript(commands: readonly Completed[]): string {
  const withWords = commands.filter(({ subcommands }) => subcommands.length > 0).map(({ path }) => path);
  const cases = commands.map(({ path, subcommands, options, values }) => {
    const words = [...subcommands.map(({ name }) => name), ...values].join(' ');
    const flags = [...options.flatMap(flagsOf), '--help', '-h'].join(' ');
    return `    ${quoted(path)}) words=${quoted(words)} flags=${quoted(flags)} ;;`;
  });
  const choices = commands.flatMap(({ path, options }) =>
    options
      .filter(({ argChoices }) => argChoices)
      .map(
        (option) =>
          `    ${flagsOf(option)
            .map((flag) => quoted(`${path} ${flag}`.trim()))
            .join('|')}) values=${quoted(option.argChoices?.join(' ') ?? '')} ;;`,
      ),
  );
  const others = commands.flatMap(({ path, options }) =>
    options
      .filter((option) => takesValue(option) && !option.argChoices)
      .flatMap(flagsOf)
      .map((flag) => quoted(`${path} ${flag}`.trim())),
  );
  return `_crobc() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path='' word words='' flags='' values=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path" in
      ${withWords.map(quoted).join('|')})
        case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac ;;
    esac
  done
  case "$path" in
${cases.join('\n')}
  esac
  case "\${path:+$path }$previous" in
${choices.join('\n')}
    ${others.join('|')}) COMPREPLY=(); return ;;
  esac
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ "$current" == -* ]]; then
    COMPREPLY=($(compgen -W "$flags" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
  fi
}
complete -o default -F _crobc crobc
`;
}

function fishScript(commands: readonly Completed[]): string {
  const lines = commands.flatMap(({ path, subcommands, options, values }) => {
    const when = conditionOf(path, subcommands);
    const names = subcommands.map(
      ({ name, description }) => `complete -c crobc -f -n ${quoted(when)} -a ${name} -d ${quoted(description)}`,
    );
    const words = values.length > 0 ? [`complete -c crobc -f -n ${quoted(when)} -a ${quoted(values.join(' '))}`] : [];
    return [...names, ...words, ...options.map((option) => fishOption(when, option))];
  });
  return `${lines.join('\n')}\n`;
}

/** The condition under which fish completes within a command: its words are there, and none of its subcommands. */
function conditionOf(path: string, subcommands: Completed['subcommands']): string {
  const names = subcommands.map(({ name }) => name).join(' ');
  if (path === '') return '__fish_use_subcommand';
  const seen = path.split(' ').map((word) => `__fish_seen_subcommand_from ${word}`);
  return [...seen, ...(names === '' ? [] : [`not __fish_seen_subcommand_from ${names}`])].join('; and ');
}

function fishOption(when: string, option: Option): string {
  const { long, short, argChoices, description } = option;
  const flags = [long ? `-l ${long.slice(2)}` : '', short ? `-s ${short.slice(1)}` : ''].filter((flag) => flag !== '');
  const values = argChoices ? [`-x -a ${quoted(argChoices.join(' '))}`] : takesValue(option) ? ['-r'] : [];
  return ['complete -c crobc', `-n ${quoted(when)}`, ...flags, ...values, `-d ${quoted(description)}`].join(' ');
}

/** Quotes a word for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
