import type { Reader } from '../reader.ts';
import { legacyTorch, npz, shardIndex, torchZips } from './checkpoints.ts';
import { attributeFiles, phraseFiles, sizeCaches } from './data-sets.ts';
import { csvLists, jsonLists } from './lists.ts';
import { onnx, sources } from './models.ts';
import { geotiff, jpeg, png, tiff, webp } from './pictures.ts';
import { annotations, pickles, references, sampleLines } from './published-data.ts';
import {
  checkpointRecords,
  checkpointWeights,
  digestCaches,
  manifests,
  metricsLogs,
  reports,
  runLocks,
} from './runs.ts';
import { trained } from './trained.ts';
import { mapped, weights } from './weights.ts';
import { tokenizer, vocabulary } from './words.ts';

/** Every kind of file that crobc reads. */
export const readers = {
  weights,
  mapped,
  trained,
  'torch-zip': torchZips,
  'torch-legacy': legacyTorch,
  npz,
  'shard-index': shardIndex,
  tokenizer,
  vocabulary,
  png,
  jpeg,
  tiff,
  geotiff,
  webp,
  'list-csv': csvLists,
  'list-json': jsonLists,
  phrases: phraseFiles,
  'sample-lines': sampleLines,
  pickles,
  references,
  annotations,
  attributes: attributeFiles,
  sizes: sizeCaches,
  checkpoint: checkpointRecords,
  'checkpoint-weights': checkpointWeights,
  metrics: metricsLogs,
  lock: runLocks,
  manifest: manifests,
  digests: digestCaches,
  report: reports,
  onnx,
  source: sources,
} as const satisfies Readonly<Record<string, Reader>>;

export type ReaderName = keyof typeof readers;

export const readerNames = Object.keys(readers) as ReaderName[];
