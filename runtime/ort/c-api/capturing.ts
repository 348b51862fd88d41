import { surroundings } from '../../process/surroundings.ts';
import { CUDA_GRAPHS, cudaGraphsAreOff } from '../cuda-graphs.ts';
import type { Capture } from './context.ts';
import { NativeFailure } from './native.ts';
import type { NativeSession } from './session.ts';

/** A session, and why its runs cannot be captured; undefined if they can. */
export interface CapturingSession {
  readonly session: NativeSession;
  readonly uncaptured: string | undefined;
}

/**
 * Opens a session whose runs can be captured, if the model allows it. A captured run is repeated without the CPU: what
 * a node does there, such as choosing a branch or a size from values, would be as in the first run. What the CPU computes
 * from shapes alone may be so, and onnxruntime accepts nothing else there.
 */
export async function openCapturing(
  capture: Capture | undefined,
  open: (captures: boolean) => Promise<NativeSession>,
): Promise<CapturingSession> {
  if (capture === undefined) return { session: await open(false), uncaptured: 'the device has no CUDA graphs' };
  if (cudaGraphsAreOff(surroundings().environment))
    return { session: await open(false), uncaptured: `${CUDA_GRAPHS} is off` };
  let session: NativeSession;
  try {
    session = await open(true);
  } catch (error) {
    if (!(error instanceof NativeFailure && /graph capture feature/.test(error.message))) throw error;
    const plain = await open(false);
    return { session: plain, uncaptured: obstacle(plain) ?? nodesElsewhere(plain, capture) };
  }
  const uncaptured = obstacle(session);
  if (uncaptured === undefined) return { session, uncaptured };
  await session.release();
  return { session: await open(false), uncaptured };
}

/** Operators that contain graphs, or whose results have a size that depends on values, for which the CPU waits. */
const uncapturable = ['If', 'Loop', 'Scan', 'NonZero', 'Compress', 'Unique', 'NonMaxSuppression'];

function obstacle(session: NativeSession): string | undefined {
  const types = [...session.placement().values()].flatMap(({ operators }) => [...operators]);
  const found = uncapturable.filter((type) => types.includes(type));
  if (found.length > 0) return `the model has ${found.join(', ')}, of which CUDA graphs have none`;
  const [onHost] = session.onHost;
  return onHost === undefined ? undefined : `${onHost} is not on CUDA`;
}

/** What onnxruntime refuses, if there is no other obstacle. */
function nodesElsewhere(session: NativeSession, { provider }: Capture): string {
  const others = [...session.placement()].filter(([name]) => name !== provider);
  const types = others.flatMap(([, { operators }]) => [...operators]).sort();
  return `not all nodes run on CUDA${types.length === 0 ? '' : `: ${types.join(', ')}`}`;
}
