// What bench/loading.mjs needs of the loader.
export { loadBatches } from '../runtime/data/batches.ts';
export { openDataset } from '../runtime/data/dataset.ts';
