// The thread of a device: calls functions of onnxruntime's C API one after the other. In JavaScript, so that it also
// runs from the sources, without a translation.
import { parentPort, workerData } from 'node:worker_threads';
import koffi from 'koffi';

// The states of `state[0]`, as in call-thread.ts.
const [IDLE, CALLING] = [0, 1];
const state = new Int32Array(workerData.state);
// koffi 3.3.4 crashes if a thread calls a function before it has loaded a library.
koffi.config({ sync_stack_size: workerData.stackSize });
koffi.load(workerData.library);
const functions = new Map();

/** The function at an address, of a type. */
function functionAt({ address, gives, takes }) {
  let found = functions.get(address);
  if (found === undefined) {
    found = koffi.decode(address, koffi.proto(gives, takes));
    functions.set(address, found);
  }
  return found;
}

parentPort.on('message', (message) => {
  if (message === undefined) {
    parentPort.close();
    return;
  }
  const { id, calls } = message;
  // Nothing is called once the process ends: what the call needs may be released.
  if (Atomics.compareExchange(state, 0, IDLE, CALLING) !== IDLE) return;
  let answer;
  try {
    let status = null;
    for (const call of calls) {
      status = functionAt(call)(...call.args);
      if (status !== null) break;
    }
    answer = { id, status };
  } catch (error) {
    answer = { id, fault: String(error) };
  }
  Atomics.store(state, 0, IDLE);
  Atomics.notify(state, 0);
  parentPort.postMessage(answer);
});
