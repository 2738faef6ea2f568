// A checksum that the server makes in the same way of the same values.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  return rest;
});

/**
 * The CRC-32 of the value as JSON in UTF-8.
 * @param {unknown} value
 * @returns {number} 0 to 2^32 - 1
 */
export function checksum(value) {
  let rest = -1;
  for (const byte of new TextEncoder().encode(JSON.stringify(value))) {
    rest = TABLE[(rest ^ byte) & 255] ^ (rest >>> 8);
  }
  return ~rest >>> 0;
}
