import type { Command } from 'commander';
import type { Invocation } from '../io.ts';

/** What a command runs with, and the callback for its exit code. */
export interface Setting {
  readonly io: Invocation;
  exit(code: Promise<number> | number): Promise<void>;
}

/** Names of the options that were given on the command line, without those that have their default. */
export function givenIn(command: Command): ReadonlySet<string> {
  return new Set(Object.keys(command.opts()).filter((name) => command.getOptionValueSource(name) === 'cli'));
}

/** The flag of an option, for messages: `--on-bad` for `onBad`. */
export function flagOf(command: Command, name: string): string {
  return command.options.find((option) => option.attributeName() === name)?.long ?? name;
}
