import type { MetricName } from '../../compiler/elaborate/source/recipe-tables.ts';
import { loadBatches } from '../data/batches.ts';
import type { Dataset } from '../data/dataset.ts';
import type { OnBad } from '../data/problems.ts';
import { type Evaluation, evaluate, spread } from '../evaluation/evaluate.ts';
import type { ProtocolName } from '../evaluation/protocols.ts';
import { readImage } from '../images/image.ts';
import { encodeImage, overlay, segment } from '../images/mask.ts';
import type { Feeds, HostTensor } from '../ort/session.ts';
import type { StopRequest } from '../process/stop-signal.ts';
import type { TextInput } from '../text/tokenizer.ts';
import type { TrainingBackend } from './backend.ts';
import type { InputSizes } from './data.ts';
import type { Scored } from './loop.ts';
import { NonFiniteStep, orNonFinite } from './non-finite-step.ts';
import type { EventFile } from './tensorboard.ts';

/**
 * The metrics of an evaluation by the names under which they are logged; a recipe
 * selects the best weights by one of them.
 */
const figures: Readonly<Record<MetricName, (found: Evaluation) => number>> = {
  mIoU: (found) => found.mIoU,
  oIoU: (found) => found.oIoU,
  'Pr@0.5': (found) => found.precision['0.5'],
  'Pr@0.6': (found) => found.precision['0.6'],
  'Pr@0.7': (found) => found.precision['0.7'],
  'Pr@0.8': (found) => found.precision['0.8'],
  'Pr@0.9': (found) => found.precision['0.9'],
};

/** Number of samples whose predictions are shown in TensorBoard. */
const PICTURES = 4;

export interface ValidationOptions {
  readonly backend: Pick<TrainingBackend, 'predict' | 'feedArrays'>;
  readonly dataset: Dataset;
  readonly sizes: InputSizes;
  readonly text: TextInput | undefined;
  readonly protocol: ProtocolName;
  readonly metric: MetricName;
  readonly blank: boolean;
  readonly onBad: OnBad;
  readonly decodeThreads?: number | undefined;
  readonly stop: Pick<StopRequest, 'signal'>;
  readonly events: EventFile | undefined;
  report(problem: string): void;
  /** Called after each sample. */
  onSample(done: number): void;
}

class Interrupted extends Error {}

/** Returns a function that evaluates the current weights on a data set; it returns undefined if a stop is requested. */
export function validation(options: ValidationOptions): (step: number) => Promise<Scored | undefined> {
  const { backend, dataset, sizes, text, protocol, metric, blank, onBad, stop, events, report, onSample } = options;
  const { decodeThreads } = options;
  return async (step) => {
    const predict = async (predicted: Feeds): Promise<HostTensor> => {
      if (stop.signal) throw new Interrupted();
      const evidence = { predicted };
      const logits = await orNonFinite(
        backend.predict(predicted),
        step,
        'the predictions after it cannot be computed',
        evidence,
      );
      if ((logits.data as Float32Array).some(Number.isNaN))
        throw new NonFiniteStep(step, 'the predictions after it are NaN', evidence);
      return logits;
    };
    try {
      let done = 0;
      const found = await evaluate(predict, dataset, {
        protocol,
        ...sizes,
        text,
        blank,
        onBad,
        decodeThreads,
        pool: backend.feedArrays,
        report,
        onResult: () => onSample(++done),
      });
      if (events) await logPictures(step, predict, events, options);
      const values = Object.fromEntries(Object.entries(figures).map(([name, of]) => [name, of(found)]));
      return { score: values[metric]!, figures: values };
    } catch (error) {
      if (error instanceof Interrupted) return undefined;
      throw error;
    }
  };
}

/** Logs predictions drawn on the images of a few samples, the same ones at every step. */
async function logPictures(
  step: number,
  predict: TrainingBackend['predict'],
  events: EventFile,
  { backend, dataset, sizes, text, blank, onBad, report }: ValidationOptions,
): Promise<void> {
  const order = spread(dataset.samples.length, PICTURES);
  const loading = { ...sizes, text, ahead: 0, threads: 0, blank, onBad, report, pool: backend.feedArrays };
  let shown = 0;
  for await (const { feeds, samples, release } of loadBatches(dataset, order, loading)) {
    const { target: _, ...inputs } = feeds;
    const { data } = await predict(inputs);
    const area = sizes.height * sizes.width;
    for (const [i, sample] of samples.entries()) {
      const image = await readImage(sample.image, undefined, dataset.colours);
      const logits = (data as Float32Array).subarray(i * area, (i + 1) * area);
      const found = segment(logits, [sizes.height, sizes.width], [image.height, image.width]);
      const png = await encodeImage(overlay(image, found));
      events.image(`prediction ${++shown}: ${sample.phrase}`, step, png, image.width, image.height);
    }
    release();
  }
}
