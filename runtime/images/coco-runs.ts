/** A mask as pycocotools and COCO's files have it: height and width, and its run lengths as a compressed text. */
export interface CocoMask {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Converts a mask, [height, width] in rows, to run lengths down its columns, as `pycocotools.mask.encode` does. */
export function cocoMask(mask: Uint8Array, height: number, width: number): CocoMask {
  const counts: number[] = [];
  let [inside, length] = [0, 0];
  for (let x = 0; x < width; x++) {
    for (let y = 0; y < height; y++) {
      const value = mask[y * width + x] === 0 ? 0 : 1;
      if (value !== inside) {
        counts.push(length);
        [inside, length] = [value, 0];
      }
      length++;
    }
  }
  counts.push(length);
  return { size: [height, width], counts: compressed(counts) };
}

/** From the fourth on, a count is stored as its difference from the second before, five bits a character. */
function compressed(counts: readonly number[]): string {
  const characters: number[] = [];
  for (const [i, count] of counts.entries()) {
    let rest = i > 2 ? count - (counts[i - 2] ?? 0) : count;
    for (let more = true; more; ) {
      const bits = rest & 31;
      rest >>= 5;
      // The highest of the five bits is the sign of what has no further character.
      more = (bits & 16) === 0 ? rest !== 0 : rest !== -1;
      characters.push((more ? bits | 32 : bits) + 48);
    }
  }
  let text = '';
  for (const code of characters) text += String.fromCharCode(code);
  return text;
}
