/** Something the user can mend: printed as one line without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';
}
