export function allFinite(data: ArrayLike<number>): boolean {
  // v - v is 0 for every finite number and NaN for the rest; a sum keeps a NaN, and a loop without branches is fast.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0;
}
