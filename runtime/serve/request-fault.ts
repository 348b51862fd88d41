/** Why a request is not answered with a result: the status of the answer, and a message of one line. */
export class RequestFault extends Error {
  readonly status: number;
  /** Seconds after which it is worth trying again. */
  readonly retryAfter: number | undefined;

  constructor(status: number, message: string, retryAfter?: number) {
    super(message);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}
