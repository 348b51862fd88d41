/** A line of a list of models. */
export interface ListedModel {
  /** `FILE` or `FILE:NAME`. */
  readonly reference: string;
  readonly label: string | undefined;
  /** The `[group]` above it. */
  readonly group: string | undefined;
}

export type ModelList =
  | { readonly kind: 'list'; readonly entries: readonly ListedModel[] }
  | { readonly kind: 'fault'; readonly line: number; readonly message: string };

/**
 * Reads a list of models: one a line, with a label behind it; `[name]` begins a group, and `#` a comment, at the beginning
 * of a line or after a space.
 */
export function modelList(text: string): ModelList {
  const entries: ListedModel[] = [];
  let group: string | undefined;
  for (const [i, whole] of text.split(/\r?\n/).entries()) {
    const line = whole.replace(/(^|\s)#.*$/, '').trim();
    if (line === '') continue;
    const head = /^\[([\w-]+)\]$/.exec(line);
    if (head) {
      group = head[1];
      continue;
    }
    const entry = /^(.+?\.crob(?::\w+)?)(?:\s+(.*))?$/.exec(line);
    if (!entry)
      return {
        kind: 'fault',
        line: i + 1,
        message: 'a line is a model such as crobim.crob:CroBIM with a label behind it, or a group such as [table-7]',
      };
    entries.push({ reference: entry[1]!, label: entry[2], group });
  }
  return entries.length > 0
    ? { kind: 'list', entries }
    : { kind: 'fault', line: 1, message: 'the list names no model' };
}
