/** Formats a number of bytes: `1.4 KiB`, `889.1 MiB`. */
export function byteSize(n: number): string {
  if (n < 1024) return `${n} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const at = Math.min(units.length, Math.floor(Math.log2(n) / 10)) - 1;
  return `${(n / 1024 ** (at + 1)).toFixed(1)} ${units[at]}`;
}
