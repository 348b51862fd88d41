/** The modules that run on threads of their own, by the names that `runtime/process/own-thread.ts` has for them. */
export const threads = {
  'decode-worker': 'runtime/data/decode-worker.ts',
  'client-worker': 'runtime/build/client-worker.ts',
  'call-worker': 'runtime/ort/c-api/call-worker.mjs',
  'model-worker': 'runtime/serve/model-worker.ts',
  'picture-worker': 'runtime/serve/picture-worker.ts',
};
