/** What the user can mend. Its message is one line; the command prints it without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}
