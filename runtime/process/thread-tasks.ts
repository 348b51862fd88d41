import { parentPort, type Transferable } from 'node:worker_threads';
import { UserError } from '../files/user-error.ts';

/** What a `ThreadPool` sends to a thread; `undefined` ends the thread after all earlier requests are answered. */
export type ThreadRequest<Request> = { readonly id: number; readonly request: Request } | undefined;

export type ThreadAnswer<Answer> =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly fault: string; readonly user: boolean };

/** An answer, and the buffers in it that are given away instead of copied. */
export interface Answered<Answer> {
  readonly answer: Answer;
  readonly transfer: readonly Transferable[];
}

/** Answers the requests of a `ThreadPool` on this thread; `end` releases what they have opened. */
export function answerRequests<Request, Answer>(
  answer: (request: Request) => Promise<Answered<Answer>>,
  end: () => Promise<void> = () => Promise.resolve(),
): void {
  if (!parentPort) throw new Error('bug in crobc: a thread was started as a program');
  const port = parentPort;
  const running = new Set<Promise<void>>();
  const send = (message: ThreadAnswer<Answer>, transfer: readonly Transferable[] = []) =>
    port.postMessage(message, transfer);
  const task = async (id: number, request: Request): Promise<void> => {
    try {
      const { answer: found, transfer } = await answer(request);
      send({ id, answer: found }, transfer);
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      send({ id, fault, user: error instanceof UserError });
    }
  };
  port.on('message', (message: ThreadRequest<Request>) => {
    if (message === undefined) {
      // Without a listener the thread ends after its current work. Terminating it within native code could crash it.
      void Promise.all(running)
        .then(end)
        .finally(() => port.close());
      return;
    }
    const one = task(message.id, message.request).finally(() => running.delete(one));
    running.add(one);
  });
}
