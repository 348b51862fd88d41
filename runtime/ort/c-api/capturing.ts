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
 * a node does there, such as choosing a branch or a size from values, would be as in the first run.
 */
export async function openCapturing(
  capture: Capture | undefined,
  open: (captures: boolean) => Promise<NativeSession>,
): Promise<CapturingSession> {
  if (capture === undefined) return { session: await open(false), uncaptured: 'the device has no CUDA graphs' };
  let session: NativeSession;
  try {
    session = await open(true);
  } catch (error) {
    // onnxruntime refuses what it cannot capture.
    if (!(error instanceof NativeFailure && /graph capture feature/.test(error.message))) throw error;
    const plain = await open(false);
    return { session: plain, uncaptured: obstacle(plain, capture) ?? 'onnxruntime does not capture the model' };
  }
  const uncaptured = obstacle(session, capture);
  if (uncaptured === undefined) return { session, uncaptured };
  await session.release();
  return { session: await open(false), uncaptured };
}

/** Operators that contain graphs, or whose results have a size that depends on values, for which the CPU waits. */
const uncapturable = ['If', 'Loop', 'Scan', 'NonZero', 'Compress', 'Unique', 'NonMaxSuppression'];

function obstacle(session: NativeSession, { provider }: Capture): string | undefined {
  const placement = session.placement();
  const types = [...placement.values()].flatMap(({ operators }) => [...operators]);
  const found = uncapturable.filter((type) => types.includes(type));
  if (found.length > 0) return `the model has ${found.join(', ')}, of which CUDA graphs have none`;
  for (const [name, { count, operators }] of placement)
    if (name !== provider) return `${count} nodes do not run on CUDA: ${[...operators].sort().join(', ')}`;
  const [onHost] = session.onHost;
  return onHost === undefined ? undefined : `${onHost} is not on CUDA`;
}
