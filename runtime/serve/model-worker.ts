import { openSession, type Session } from '../ort/session.ts';
import { surroundings } from '../process/surroundings.ts';
import { answerRequests } from '../process/thread-tasks.ts';
import type { ModelAnswer, ModelRequest } from './model-thread.ts';

let session: Session | undefined;

answerRequests<ModelRequest, ModelAnswer>(
  async (request) => {
    switch (request.kind) {
      case 'open': {
        const { onnx, device, threads, half, tf32 } = request;
        session = await openSession(onnx, { device, half, tf32, ...(threads === undefined ? {} : { threads }) });
        return { answer: { kind: 'opened', device: session.device, note: session.note }, transfer: [] };
      }
      case 'run': {
        if (!session) throw new Error('bug in crobc: a run before the model was opened');
        const { now } = surroundings();
        const started = now();
        const outputs = await session.run(request.feeds, { wanted: request.wanted });
        const milliseconds = now() - started;
        return { answer: { kind: 'ran', outputs, milliseconds }, transfer: [] };
      }
    }
  },
  async () => session?.release(),
);
