/** Levels, and objects and lists, that no file has which crobc reads. */
const MOST_LEVELS = 1_000;
const MOST_CONTAINERS = 10_000_000;

/** Length of a text in characters up to which the parser needs little memory, whatever the text is. */
const SHORT = 1 << 20;

/**
 * Parses JSON from a file of others. Counts the levels and the objects of a long text before, since the parser needs memory
 * for each: 256 MiB of brackets would take 10 GB and a minute. Throws a SyntaxError.
 */
export function parseJson(text: string): unknown {
  const fault = text.length > SHORT ? nestingFault(text) : undefined;
  if (fault !== undefined) throw new SyntaxError(fault);
  return JSON.parse(text);
}

function nestingFault(text: string): string | undefined {
  let [depth, containers, within] = [0, 0, false];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (within) {
      if (code === 92) at++;
      else if (code === 34) within = false;
    } else if (code === 34) within = true;
    else if (code === 91 || code === 123) {
      if (++depth > MOST_LEVELS) return `it has more than ${MOST_LEVELS} levels`;
      if (++containers > MOST_CONTAINERS) return `it has more than ${MOST_CONTAINERS} objects and lists`;
    } else if (code === 93 || code === 125) depth--;
  }
  return undefined;
}
