/** Formats a count with a decimal prefix: `427.0 G`. */
export function shortCount(n: number): string {
  const units = ['', ' k', ' M', ' G', ' T'];
  const at = n < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(n) / 3));
  return `${(n / 1000 ** at).toFixed(at === 0 ? 0 : 2)}${units[at]}`;
}

/** Formats a fraction as a percentage; NaN as a dash. */
export function percent(part: number): string {
  return Number.isNaN(part) ? '-' : (100 * part).toFixed(2);
}
