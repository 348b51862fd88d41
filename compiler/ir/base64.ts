const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const digits = new Map(Array.from(alphabet, (digit, value) => [digit, value]));

/**
 * Encodes bytes as RFC 4648 base64 with padding. Implemented here because the compiler must not depend on host APIs.
 */
export function encodeBase64(bytes: Uint8Array): string {
  const chunks: string[] = [];
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]];
    const word = (a << 16) | ((b ?? 0) << 8) | (c ?? 0);
    chunks.push(
      alphabet[word >> 18]! +
        alphabet[(word >> 12) & 63]! +
        (b === undefined ? '=' : alphabet[(word >> 6) & 63]!) +
        (c === undefined ? '=' : alphabet[word & 63]!),
    );
  }
  return chunks.join('');
}

/** Decodes base64; returns undefined if the text is not valid base64. */
export function decodeBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let at = 0;
  for (let i = 0; i < text.length; i += 4) {
    let word = 0;
    for (let j = i; j < i + 4; j++) {
      const digit = j >= text.length - padding ? 0 : digits.get(text[j]!);
      if (digit === undefined) return undefined;
      word = (word << 6) | digit;
    }
    for (let shift = 16; shift >= 0 && at < bytes.length; shift -= 8) bytes[at++] = (word >> shift) & 255;
  }
  return bytes;
}
