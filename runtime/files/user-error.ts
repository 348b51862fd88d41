/** An error that the user can fix. Its message is one line, printed without a stack trace. */
export class UserError extends Error {
  override readonly name: string = 'UserError';
}
