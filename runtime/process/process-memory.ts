/**
 * Estimates the memory of a process on onnxruntime's CPU provider in bytes, given the bytes of its permanent tensors
 * (`stored`) and its additional peak (`working`). onnxruntime's arena grows to about twice the size of live tensors,
 * because free pieces of its blocks often do not fit the next request; Node.js, onnxruntime and decoded samples need a
 * constant amount.
 */
export function processMemory(stored: number, working: number): number {
  return trainingMemory(stored, 2 * working);
}

/**
 * Estimates the memory of a process that trains in bytes, given its permanent tensors and the peak of what onnxruntime's
 * plan for a step holds besides (`planned`).
 */
export function trainingMemory(stored: number, planned: number): number {
  return stored + planned + 256 * 2 ** 20;
}
