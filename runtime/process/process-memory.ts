/**
 * Estimates the memory of a process on onnxruntime's CPU provider in bytes, given the bytes of its permanent tensors
 * (`stored`) and its additional peak (`working`). onnxruntime's arena grows to about twice the size of live tensors,
 * because free pieces of its blocks often do not fit the next request; Node.js, onnxruntime and decoded samples need a
 * constant amount. Within 15 % of measurements for the training of CroBIM_micro at batches of 1 to 32, and of a CroBIM
 * with Swin-T.
 */
export function processMemory(stored: number, working: number): number {
  return stored + 2 * working + 256 * 2 ** 20;
}
