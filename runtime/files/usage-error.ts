import { UserError } from './user-error.ts';

/** Options or arguments that are wrong whatever the files contain. Printed as one line, with exit code 2. */
export class UsageError extends UserError {
  override readonly name = 'UsageError';
}
