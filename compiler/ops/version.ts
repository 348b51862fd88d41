/** Increased whenever the meaning of a row changes; manifests contain it together with the graph's hash. */
export const opTableVersion = '1';
