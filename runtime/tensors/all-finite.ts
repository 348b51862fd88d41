export function allFinite(data: ArrayLike<number>): boolean {
  // v - v is 0 for finite numbers, else NaN. The sum is NaN if any term is, and a loop without branches is fast.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0;
}
