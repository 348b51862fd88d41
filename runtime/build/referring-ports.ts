import { asConstant } from '../../compiler/dims/dim.ts';
import type { ReferringClient } from '../../compiler/emit/client/referring.ts';
import type { Graph, GraphInput, GraphOutput, Value } from '../../compiler/ir/graph.ts';
import { IMAGENET_MEAN, IMAGENET_STD } from '../images/normalise.ts';
import type { Truncation } from '../text/truncation.ts';

/** The inputs and the output of a segmentation model, with or without words as input. */
export interface ReferringPorts {
  readonly image: GraphInput;
  /** Undefined for a model that reads only images. */
  readonly text: { readonly tokens: GraphInput; readonly mask: GraphInput } | undefined;
  readonly logits: GraphOutput;
}

const ranks: Readonly<Record<string, number>> = { image: 4, tokens: 2, mask: 2 };

/**
 * Returns the ports of a model with the input `image`, either `tokens` and `mask` or neither, and an output; undefined for
 * other models. The first output is the logits.
 */
export function referringPorts({ inputs, outputs }: Graph): ReferringPorts | undefined {
  const named = (name: string) => inputs.find((input) => input.name === name);
  const [image, tokens, mask] = [named('image'), named('tokens'), named('mask')];
  const [logits] = outputs;
  const fits = inputs.every(({ name, value }) => ranks[name] === value.type.shape.length);
  if (!image || !logits || !fits || (tokens === undefined) !== (mask === undefined)) return undefined;
  return { image, text: tokens && mask && { tokens, mask }, logits };
}

export function constantSize(value: Value, axis: number): number | undefined {
  const dim = value.type.shape[axis];
  return dim && asConstant(dim);
}

/** Number of channels of the images that crobc reads: RGB. */
export const readBands = 3;

/**
 * Returns what a client needs to prepare images and words for a model that `predict` could run; undefined for others.
 * `truncation` is that of the training.
 */
export function referringClient(graph: Graph, truncation: Truncation): ReferringClient | undefined {
  const ports = referringPorts(graph);
  if (!ports || constantSize(ports.image.value, 1) !== readBands || ports.image.value.type.dtype !== 'f32')
    return undefined;
  const { image, text, logits } = ports;
  if (logits.value.type.dtype !== 'f32' || constantSize(logits.value, 1) !== 1 || logits.value.type.shape.length !== 4)
    return undefined;
  return {
    height: constantSize(image.value, 2),
    width: constantSize(image.value, 3),
    mean: IMAGENET_MEAN,
    deviation: IMAGENET_STD,
    text: text && { words: constantSize(text.tokens.value, 1), keepsSep: truncation === 'keep-sep' },
  };
}
