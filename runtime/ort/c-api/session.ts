import { halfEntries } from '../half-settings.ts';
import type { PortType } from '../host-tensor.ts';
import { type Bound, BoundRun } from './bound-run.ts';
import { type Context, pointerFrom } from './context.ts';
import { Handle } from './handle.ts';
import type { Native } from './native.ts';
import { portsOf, portsOnHost } from './ports.ts';

export interface NativeSessionOptions {
  /** Number of threads within an operator; default: the number of physical cores. */
  readonly threads?: number;
  /** Whether the second run puts all tensors into one memory block, planned from the first run (default true). */
  readonly planMemory?: boolean;
  /** False for a model that runs once: onnxruntime then skips its optimisations. */
  readonly optimised?: boolean;
  /** Whether the graph computes in half precision. */
  readonly half?: boolean;
  /** Whether onnxruntime records which provider runs each node. */
  readonly placement?: boolean;
  /** What messages call the model. */
  readonly named?: string;
}

/** Adds the execution provider of a device to session options. The CPU's is always there. */
export type AppendProvider = (native: Native, options: bigint, how: { readonly captures: boolean }) => void;

/** Nodes of a session that one provider runs. */
export interface PlacedNodes {
  readonly count: number;
  /** The types of their operators. */
  readonly operators: ReadonlySet<string>;
}

/** An open model. */
export class NativeSession {
  readonly inputs: readonly PortType[];
  readonly outputs: readonly PortType[];
  /** Names of inputs and outputs that are read and written in the memory of this process, not on the device. */
  readonly onHost: ReadonlySet<string>;
  readonly #context: Context;
  readonly #session: Handle;
  readonly #onRelease: () => void;
  readonly #runs = new Set<BoundRun>();

  /** Throws a UserError if the model has tensors of types that crobc does not use. */
  constructor(context: Context, session: Handle, named: string, onRelease: () => void) {
    this.#context = context;
    this.#onRelease = onRelease;
    this.#session = session;
    const { pointer } = session;
    this.inputs = portsOf(context, pointer, 'Input', named);
    this.outputs = portsOf(context, pointer, 'Output', named);
    this.onHost = new Set([
      ...portsOnHost(context, pointer, 'Input', this.inputs),
      ...portsOnHost(context, pointer, 'Output', this.outputs),
    ]);
  }

  /** Binds tensors for many runs. Throws if they do not fit the model; inputs that are not bound are fed to each run. */
  bind(bound: Bound): BoundRun {
    const run = new BoundRun(this.#context, this.#session, this, bound, () => this.#runs.delete(run));
    this.#runs.add(run);
    return run;
  }

  /** The nodes by provider, such as CPUExecutionProvider, after onnxruntime's optimisations. */
  placement(): ReadonlyMap<string, PlacedNodes> {
    const { native } = this.#context;
    const nodes = new Map<string, PlacedNodes>();
    for (const subgraph of list(native, (out, count) =>
      native.call('Session_GetEpGraphAssignmentInfo', this.#session.pointer, out, count),
    )) {
      const provider = native.textAt(pointerFrom((out) => native.call('EpAssignedSubgraph_GetEpName', subgraph, out)));
      const own = list(native, (out, count) => native.call('EpAssignedSubgraph_GetNodes', subgraph, out, count));
      const { count, operators } = nodes.get(provider) ?? { count: 0, operators: new Set<string>() };
      const types = own.map((node) =>
        native.textAt(pointerFrom((out) => native.call('EpAssignedNode_GetOperatorType', node, out))),
      );
      nodes.set(provider, { count: count + own.length, operators: new Set([...operators, ...types]) });
    }
    return nodes;
  }

  /**
   * The most bytes that runs have had of the session's arena at one time; undefined where the allocator does not count.
   * Tensors in arrays of this process are not part of it.
   */
  peakMemory(): number | undefined {
    const { native, deviceMemory } = this.#context;
    const { pointer } = this.#session;
    const allocator = pointerFrom((out) => native.call('CreateAllocator', pointer, deviceMemory.pointer, out));
    try {
      const stats = pointerFrom((out) => native.call('AllocatorGetStats', allocator, out));
      const most = native.valueOf(stats, 'MaxInUse');
      native.release('ReleaseKeyValuePairs', stats);
      return most === undefined ? undefined : Number(most);
    } finally {
      native.release('ReleaseAllocator', allocator);
    }
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

/**
 * Opens a model from bytes, or from a path with its data file beside it, on the thread of the device. Throws a
 * NativeFailure.
 */
export async function openNativeSession(
  context: Pick<Context, 'native' | 'thread' | 'environment'>,
  model: string | Uint8Array,
  options: NativeSessionOptions & { readonly captures?: boolean },
  append: AppendProvider,
): Promise<Handle> {
  const { native, thread, environment } = context;
  const settings = pointerFrom((out) => native.call('CreateSessionOptions', out));
  try {
    // crobc's own messages are clearer than the log.
    native.call('SetSessionLogSeverityLevel', settings, FATAL);
    const { threads, planMemory = true, optimised = true, half = false, placement = false, captures = false } = options;
    if (threads !== undefined) native.call('SetIntraOpNumThreads', settings, threads);
    // A pattern takes one block for all tensors of a run from the second one on, beside those of the first. A run that is
    // replayed gains nothing from it.
    if (!planMemory || captures) native.call('DisableMemPattern', settings);
    if (!optimised) native.call('SetSessionGraphOptimizationLevel', settings, 0);
    const entries = {
      ...(half ? halfEntries : {}),
      ...(placement ? { 'session.record_ep_graph_assignment_info': '1' } : {}),
    };
    for (const [key, value] of Object.entries(entries)) native.call('AddSessionConfigEntry', settings, key, value);
    append(native, settings, { captures });
    const out = new BigUint64Array(1);
    const { pointer } = environment;
    if (typeof model === 'string') await thread.call('CreateSession', pointer, model, settings, out);
    else await thread.call('CreateSessionFromArray', pointer, model, model.length, settings, out);
    return new Handle(native, { kind: 'a session', by: 'ReleaseSession', owner: environment }, out[0]!);
  } finally {
    native.release('ReleaseSessionOptions', settings);
  }
}

export const FATAL = 4;
