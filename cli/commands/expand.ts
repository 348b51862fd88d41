import { print } from '../../compiler/ir/print.ts';
import { originPlace } from '../../runtime/build/origin-place.ts';
import { compileFile } from '../compile-file.ts';
import type { Io } from '../io.ts';
import { printText } from '../print.ts';

export interface ExpandOptions {
  readonly model?: string;
  readonly set?: readonly string[];
}

/** Prints the flattened model before any pass: every operator with its module and its source position. */
export function expand(io: Io, file: string, options: ExpandOptions): number {
  const compiled = compileFile(io, file, options.model, options.set);
  if (!compiled) return 1;
  printText(
    io,
    print(compiled.graph, (origin) => originPlace(compiled.program, origin)),
  );
  return 0;
}
