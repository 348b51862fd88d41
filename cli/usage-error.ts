/** A command line that cannot mean anything, whatever the files hold: printed as one line, with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
