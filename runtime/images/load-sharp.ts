import type Sharp from 'sharp';

/**
 * Loads sharp on first use and turns its cache off: libvips identifies a file by its name alone, and would return the
 * size and the pixels of a file that has been replaced since.
 */
export async function loadSharp(): Promise<typeof Sharp> {
  const { default: sharp } = await import('sharp');
  sharp.cache(false);
  return sharp;
}
