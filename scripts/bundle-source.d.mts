/** The bundle of a TypeScript file of this repository; several processes may ask for the same one. */
export function bundleSource(entry: string): Promise<string>;
/** What a TypeScript file of this repository exports. */
export function importSource(entry: string): Promise<unknown>;
