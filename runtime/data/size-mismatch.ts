/**
 * How a mask of another size than its image is handled: each is resized by itself, as published readers of RRSIS-D do;
 * the sample is skipped and counted; or the first one stops.
 */
export const onSizeMismatchNames = ['resize', 'skip', 'stop'] as const;
export type OnSizeMismatch = (typeof onSizeMismatchNames)[number];

/** The message for a mask whose size differs from its image; undefined if they are equal. Sizes are width and height. */
export function sizeFault(mask: string, of: readonly number[], masked: readonly number[]): string | undefined {
  if (of[0] === masked[0] && of[1] === masked[1]) return undefined;
  return `${mask} has ${masked.join(' × ')} pixels, and its image ${of.join(' × ')}`;
}

/** What to do about it, behind the message at which a run stops. */
export const sizeMismatchHint =
  '--on-size-mismatch resize would resize each by itself, --on-size-mismatch skip would leave the sample out';
