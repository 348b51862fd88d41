/** A way in which crobc reads a kind of file, with files to begin from. */
export interface Reader {
  /** Bytes that a process may have that reads such files; memoryOf has what holds where this is not given. */
  readonly memory?: number;
  /** Makes what the reader needs in an empty folder. */
  open(folder: string): Promise<OpenReader>;
}

export interface OpenReader {
  /** Where a changed file is put before it is read. */
  readonly path: string;
  /** Files that are read without a complaint. */
  readonly samples: readonly Buffer[];
  /** The JSON in a file, where there is some. */
  readonly json?: JsonPart;
  /** Makes lengths and checksums right again, so that what is behind them is read. */
  readonly repair?: (bytes: Buffer) => Buffer;
  /** Throws a UserError where crobc refuses the file; `report` gets the lines that it prints and goes on. */
  read(report: (line: string) => void): Promise<unknown>;
  /** Names by which a refusal may call the file; its path, unless given. */
  readonly names?: readonly string[];
}

export interface JsonPart {
  text(bytes: Buffer): string;
  /** The file with another JSON text. */
  replaced(bytes: Buffer, text: string): Buffer;
}

/** A file that is JSON from its beginning to its end. */
export const allJson: JsonPart = {
  text: (bytes) => bytes.toString(),
  replaced: (_, text) => Buffer.from(text),
};

/** Node.js alone takes a fifth of it. */
export function memoryOf({ memory = 400e6 }: Reader): number {
  return memory;
}
