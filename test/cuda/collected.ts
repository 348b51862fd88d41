import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Collects what JavaScript has left behind, and waits until finalizers have run. */
export async function collected(): Promise<void> {
  // Finalizers of collected arrays run in turns of the event loop.
  for (let times = 0; times < 3; times++) {
    collect();
    await new Promise((resolve) => setImmediate(resolve));
  }
}
