import { type Command, Option } from 'commander';
import { UsageError } from '../runtime/files/usage-error.ts';

/** An option that may be repeated; `read` returns the values of one occurrence. */
export class CollectingOption<T = string> extends Option {
  constructor(flags: string, description: string, read: (value: string) => readonly T[]) {
    super(flags, description);
    this.argParser((value: string, held: readonly T[] | undefined) => [...(held ?? []), ...read(value)]);
  }
}

/**
 * Throws a UsageError if an option that holds one value is given twice, or if two options set the same value, such as
 * `--weights FILE` and `--no-weights`: commander would silently use the last one. Repeating a flag is allowed.
 */
export function refuseRepeated(command: Command): void {
  const given = new Map<string, { readonly option: Option; readonly typed: string }>();
  for (const option of command.options) {
    if (option.variadic || option instanceof CollectingOption) continue;
    command.on(`option:${option.name()}`, (value?: string | null) => {
      const flag = option.long ?? option.flags;
      const typed = typeof value === 'string' ? `${flag} ${value}` : flag;
      const earlier = given.get(option.attributeName());
      given.set(option.attributeName(), { option, typed });
      if (!earlier || (earlier.option === option && typed === flag)) return;
      const why = earlier.option === option ? `${flag} takes one value` : 'give one of them';
      throw new UsageError(`${earlier.typed} and ${typed}: ${why}`);
    });
  }
}
