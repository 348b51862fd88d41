import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { workerData } from 'node:worker_threads';
import { BundleLoader } from './bundle-loader.ts';

// What a thread of crobc's own begins with: `workerData` names the file of the bundle that it runs.
new BundleLoader(dirname(fileURLToPath(import.meta.url))).load(workerData as string);
