import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { BundleLoader } from './bundle-loader.ts';

// Entry point of crobc's own worker threads: `workerData` has the name of the bundle's file to run.
const { bundle } = workerData as { readonly bundle: string };
new BundleLoader(dirname(fileURLToPath(import.meta.url))).load(bundle);
