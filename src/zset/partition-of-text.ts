import type { KeyText } from './row-key.js';

/** The partition a text falls into: CRC16 of its UTF-8 bytes, as Redis Cluster has it, modulo their number. */
export const partitionOfText = (text: KeyText, partitions: number): number =>
  partitions === 1 ? 0 : crc16(text) % partitions;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte << 8;
  for (let bit = 0; bit < 8; bit++)
    remainder = remainder & 0x8000 ? (remainder << 1) ^ 0x1021 : remainder << 1;
  return remainder;
});

/** CRC-16/XMODEM (polynomial 1021, from 0, nothing reversed) of a text's UTF-8 bytes. */
export function crc16(text: string): number {
  let remainder = 0;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    if (unit >= 0x80) return crc16Bytes(Buffer.from(text, 'utf8'));
    remainder = ((remainder << 8) & 0xffff) ^ TABLE[(remainder >>> 8) ^ unit]!;
  }
  return remainder;
}

function crc16Bytes(bytes: Uint8Array): number {
  let remainder = 0;
  for (const byte of bytes) remainder = ((remainder << 8) & 0xffff) ^ TABLE[(remainder >>> 8) ^ byte]!;
  return remainder;
}
