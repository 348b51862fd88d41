import { type Command, Option } from 'commander';
import { UsageError } from '../runtime/files/usage-error.ts';

/** An option that may be repeated; `read` gives the values of one occurrence. */
export class CollectingOption extends Option {
  constructor(flags: string, description: string, read: (value: string) => readonly string[]) {
    super(flags, description);
    this.argParser((value: string, held: readonly string[] | undefined) => [...(held ?? []), ...read(value)]);
  }
}

/**
 * Makes an option that holds one value an error where it is given twice, and so two options for the same, as `--weights FILE`
 * and `--no-weights`: commander takes the last and drops the others. A flag may be repeated, which changes nothing.
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
