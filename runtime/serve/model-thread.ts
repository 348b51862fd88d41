import type { Device, Feeds, HostTensor } from '../ort/session.ts';
import { ThreadPool } from '../process/thread-pool.ts';

export type ModelRequest =
  | {
      readonly kind: 'open';
      readonly onnx: string;
      readonly device: Device | 'auto';
      readonly threads: number | undefined;
      readonly half: boolean;
      readonly tf32: boolean;
    }
  | { readonly kind: 'run'; readonly feeds: Feeds; readonly wanted: readonly string[] };

export type ModelAnswer =
  | { readonly kind: 'opened'; readonly device: Device; readonly note: string | undefined }
  | { readonly kind: 'ran'; readonly outputs: Tensors; readonly milliseconds: number };

export type Tensors = Readonly<Record<string, HostTensor>>;

/** A result of the model, and how long it ran. */
export interface ModelRun {
  readonly outputs: Tensors;
  readonly milliseconds: number;
}

/**
 * A model on a thread of its own: a run of onnxruntime-node blocks the thread that calls it, on which no request could be
 * received meanwhile. Must be released.
 */
export interface ModelThread {
  readonly device: Device;
  readonly note: string | undefined;
  run(feeds: Feeds, wanted: readonly string[]): Promise<ModelRun>;
  release(): Promise<void>;
}

/** Opens a model. Throws a UserError as `openSession` does; `onLost` is called if the thread ends by itself. */
export async function openModelThread(
  model: Omit<Extract<ModelRequest, { readonly kind: 'open' }>, 'kind'>,
  onLost: (error: Error) => void,
): Promise<ModelThread> {
  const pool = new ThreadPool<ModelRequest, ModelAnswer>('model-worker', { threads: 1, onLost });
  try {
    const opened = await pool.run({ kind: 'open', ...model });
    if (opened.kind !== 'opened') throw new Error('bug in crobc: a model that was not opened');
    return {
      device: opened.device,
      note: opened.note,
      async run(feeds, wanted) {
        const ran = await pool.run({ kind: 'run', feeds, wanted });
        if (ran.kind !== 'ran') throw new Error('bug in crobc: a model that did not run');
        return ran;
      },
      release: () => pool.close(),
    };
  } catch (error) {
    await pool.close();
    throw error;
  }
}
