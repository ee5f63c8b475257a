/** Bytes that mean something in Redis's protocol: what a value begins with, and what ends its first line. */
export const [ARRAY, BULK, MINUS, ZERO] = [0x2a, 0x24, 0x2d, 0x30];
export const [RETURN, NEWLINE] = [0x0d, 0x0a];
