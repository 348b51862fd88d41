/** What `npm run test:fresh-seeds` draws and prints; undefined in CI, where every test draws the same each time. */
export const fresh: number | undefined = freshIn(process.env.CROBC_TEST_SEED);

function freshIn(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d{1,10}$/.test(text)) throw new Error(`CROBC_TEST_SEED=${text}: give a number of at most ten digits`);
  return Number(text);
}

/** The seed of what a test draws: the one that it names, or, with a fresh seed, another that follows from both. */
export function drawnSeed(named: number, by: number | undefined = fresh): number {
  if (by === undefined) return named;
  let mixed = Math.imul(named ^ Math.imul(by, 2654435761), 2246822519);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 3266489917);
  return (mixed ^ (mixed >>> 16)) >>> 1;
}
