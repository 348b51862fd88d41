/** A stream for lines: one of the process, or a test's substitute. */
export interface TerminalStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether to use colours: on a terminal unless the user has declined them (no-color.org), or if they are forced. */
export function wantsColour(stream: TerminalStream, environment: Environment): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** Columns of a terminal; undefined if it is not one or does not report them (some pseudo-terminals report 0). */
export function terminalWidth({ isTTY, columns }: TerminalStream): number | undefined {
  return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
}

/** Whether a line can be redrawn in place. */
export function drawsStatus({ isTTY }: TerminalStream, environment: Environment): boolean {
  return isTTY === true && environment.TERM !== 'dumb';
}

/** Whether the user wants no progress, for example in logs that are compared. */
export function hidesProgress({ CROBC_PROGRESS: wish }: Environment): boolean {
  return wish === 'off';
}
