/**
 * An optimiser of onnxruntime to leave out for half precision. On the CPU, onnxruntime 1.30 computes it in float32, and
 * its layout transformer crashes the process at some convolutions, for example one that is followed by a transpose and a
 * mean.
 */
const LEFT_OUT = 'NchwcTransformer';

/** Session options for half precision, as onnxruntime-node takes them and as onnxruntime itself does. */
export const halfSettings = { optimization: { disable_specified_optimizers: LEFT_OUT } };
export const halfEntries = { 'optimization.disable_specified_optimizers': LEFT_OUT };
