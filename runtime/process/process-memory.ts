/**
 * What a process comes to on onnxruntime's CPU provider, in bytes, where its tensors take `stored` throughout and `working` more at
 * the peak. onnxruntime's arena comes to hold about twice what is alive then, as pieces of its blocks are of the wrong size for
 * what is asked next; Node.js, onnxruntime and the decoded samples take the rest. Within 15 % of what training took:
 * CroBIM_micro at batches of 1 to 32, and a CroBIM with Swin-T.
 */
export function processMemory(stored: number, working: number): number {
  return stored + 2 * working + 256 * 2 ** 20;
}
