/** Formats a number of bytes: `1.4 KiB`, `889.1 MiB`. */
export function byteSize(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const at = Math.min(units.length, Math.floor(Math.log2(n) / 10)) - 1;
  return `${(n / 1024 ** (at + 1)).toFixed(1)} ${units[at]}`;
}

const factors: Readonly<Record<string, number>> = {
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
};

/** Reads a size with its unit, such as `80GiB` or `16.5 GB`; undefined if it is none, or 0. */
export function parseByteSize(text: string): number | undefined {
  const [, number = '', unit = ''] = /^\s*(\d+(?:\.\d+)?)\s*([MGT]i?B)\s*$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (factors[unit] ?? 0));
  return bytes > 0 && Number.isSafeInteger(bytes) ? bytes : undefined;
}
