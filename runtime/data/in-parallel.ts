/**
 * Runs `task` on each item, at most `parallel` at a time. Throws the first failure after the running tasks have ended.
 */
export async function inParallel<T>(
  items: Iterable<T>,
  parallel: number,
  task: (item: T) => Promise<void>,
): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    try {
      for (let next = queue.next(); !next.done && !failed; next = queue.next()) await task(next.value);
    } catch (error) {
      failed = true;
      throw error;
    }
  };
  const results = await Promise.allSettled(Array.from({ length: parallel }, lane));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}
