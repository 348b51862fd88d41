import type Sharp from 'sharp';

/**
 * sharp, loaded on first use. It keeps nothing of what it has read: libvips knows a file by its name alone, and would give
 * the size and the pixels of one that has been replaced since.
 */
export async function loadSharp(): Promise<typeof Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  return sharp;
}
