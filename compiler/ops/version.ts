/** Raised whenever a row's meaning changes; manifests carry it beside the graph's hash. */
export const opTableVersion = '1';
