/**
 * Bundles a TypeScript file of this repository and returns the bundle's path.
 * Several processes may bundle the same file.
 */
export function bundleSource(entry: string): Promise<string>;
/** Returns the exports of a TypeScript file of this repository. */
export function importSource(entry: string): Promise<unknown>;
