/** Where lines are shown: a stream of the process, or a stand-in of a test. */
export interface TerminalStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Colours belong on a terminal whose owner has not declined them (no-color.org), or where they are asked for. */
export function wantsColour(stream: TerminalStream, environment: Environment): boolean {
  if (environment.NO_COLOR) return false;
  if (environment.FORCE_COLOR && environment.FORCE_COLOR !== '0') return true;
  return stream.isTTY === true && environment.TERM !== 'dumb';
}

/** Columns of a terminal; undefined where it is none, or does not say: some pseudo-terminals have 0. */
export function terminalWidth({ isTTY, columns }: TerminalStream): number | undefined {
  return isTTY === true && columns !== undefined && columns > 0 ? columns : undefined;
}

/** Whether a line can be drawn again where it stands. */
export function drawsStatus({ isTTY }: TerminalStream, environment: Environment): boolean {
  return isTTY === true && environment.TERM !== 'dumb';
}
