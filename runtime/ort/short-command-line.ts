import { UserError } from '../files/user-error.ts';

/**
 * Maximum length of the command line in bytes. On Linux, onnxruntime 1.30 reads /proc/self/cmdline with a recursive
 * matcher when it creates a session, and overflows the stack somewhere between 25 and 32 kB.
 */
const longestCommandLine = 16_384;

/** Throws a UserError if onnxruntime would crash at the command line. */
export function expectShortCommandLine(): void {
  const length = Buffer.byteLength([process.execPath, ...process.execArgv, ...process.argv.slice(1)].join(' '));
  if (length > longestCommandLine) {
    const [given, most] = [length, longestCommandLine].map((n) => n.toLocaleString('en'));
    throw new UserError(`the command line has ${given} bytes, and onnxruntime works with ${most} at most: shorten it`);
  }
}
