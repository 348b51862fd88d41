import type { PortType } from '../session.ts';
import { type Bound, BoundRun } from './bound-run.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import type { Native } from './native.ts';
import { portsOf } from './ports.ts';

export interface NativeSessionOptions {
  /** Number of threads within an operator; default: the number of physical cores. */
  readonly threads?: number;
  /** Whether the second run puts all tensors into one memory block, planned from the first run (default true). */
  readonly planMemory?: boolean;
  /** False for a model that runs once: onnxruntime then skips its optimisations. */
  readonly optimised?: boolean;
  /** Whether onnxruntime records which provider runs each node. */
  readonly placement?: boolean;
}

/** Adds the execution provider of a device to session options. The CPU's is always there. */
export type AppendProvider = (native: Native, options: bigint) => void;

/** An open model. */
export class NativeSession {
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
  readonly #context: Context;
  readonly #session: Handle;
  readonly #onRelease: () => void;
  readonly #runs = new Set<BoundRun>();

  constructor(context: Context, session: Handle, onRelease: () => void) {
    this.#context = context;
    this.#onRelease = onRelease;
    this.#session = session;
    this.inputs = portsOf(context, session.pointer, 'Input');
    this.outputs = portsOf(context, session.pointer, 'Output');
  }

  /** Binds tensors for many runs. Throws if they do not fit the model; inputs that are not bound are fed to each run. */
  bind(bound: Bound): BoundRun {
    const ports = { inputs: this.inputs, outputs: this.outputs };
    const run = new BoundRun(this.#context, this.#session, ports, bound, () => this.#runs.delete(run));
    this.#runs.add(run);
    return run;
  }

  /** The number of nodes by provider, such as CPUExecutionProvider, after onnxruntime's optimisations. */
  placement(): ReadonlyMap<string, number> {
    const { native } = this.#context;
    const nodes = new Map<string, number>();
    for (const subgraph of list(native, (out, count) =>
      native.call('Session_GetEpGraphAssignmentInfo', this.#session.pointer, out, count),
    )) {
      const provider = native.textAt(pointerFrom((out) => native.call('EpAssignedSubgraph_GetEpName', subgraph, out)));
      const own = list(native, (out, count) => native.call('EpAssignedSubgraph_GetNodes', subgraph, out, count));
      nodes.set(provider, (nodes.get(provider) ?? 0) + own.length);
    }
    return nodes;
  }

  /** Waits for runs in progress. */
  async release(): Promise<void> {
    await Promise.all([...this.#runs].map((run) => run.release()));
    this.#session.release();
    this.#onRelease();
  }

  /** Asks runs in progress to stop. */
  cancel(): void {
    for (const run of this.#runs) run.cancel();
  }
}

function list(native: Native, call: (out: BigUint64Array, count: BigUint64Array) => void): readonly bigint[] {
  const [out, count] = [new BigUint64Array(1), new BigUint64Array(1)];
  call(out, count);
  return native.pointersAt(out[0]!, Number(count[0]));
}

/** Opens a model from bytes, on the thread of the device. Throws a NativeFailure. */
export async function openNativeSession(
  context: Pick<Context, 'native' | 'thread' | 'environment'>,
  model: Uint8Array,
  options: NativeSessionOptions,
  append: AppendProvider,
): Promise<Handle> {
  const { native, thread, environment } = context;
  const settings = pointerFrom((out) => native.call('CreateSessionOptions', out));
  try {
    // crobc's own messages are clearer than the log.
    native.call('SetSessionLogSeverityLevel', settings, FATAL);
    const { threads, planMemory = true, optimised = true, placement = false } = options;
    if (threads !== undefined) native.call('SetIntraOpNumThreads', settings, threads);
    if (!planMemory) native.call('DisableMemPattern', settings);
    if (!optimised) native.call('SetSessionGraphOptimizationLevel', settings, 0);
    if (placement) native.call('AddSessionConfigEntry', settings, 'session.record_ep_graph_assignment_info', '1');
    append(native, settings);
    const out = new BigUint64Array(1);
    await thread.call('CreateSessionFromArray', environment.pointer, model, model.length, settings, out);
    return new Handle(native, { kind: 'a session', by: 'ReleaseSession', owner: environment }, out[0]!);
  } finally {
    native.release('ReleaseSessionOptions', settings);
  }
}

export const FATAL = 4;
