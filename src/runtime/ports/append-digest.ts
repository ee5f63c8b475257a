import { createHash } from 'node:crypto';
import { counted } from '../../errors/counted.js';
import { StillwaterError } from '../../errors/stillwater-error.js';

/** Half a SHA-256 is far more than chance needs; nobody gains by making two requests look alike. */
const DIGEST_LENGTH = 32;

/** What an append says, in short: another number of entries, fields or texts gives another one. */
export function appendDigest(entries: readonly (readonly string[])[]): string {
  const hash = createHash('sha256');
  for (const fields of entries) hash.update(`${JSON.stringify(fields)}\n`);
  return hash.digest('hex').slice(0, DIGEST_LENGTH);
}

/** A key that comes back with other entries is a mistake of its sender: neither to be appended nor to be taken for a repeat. */
export const keyReused = (redisKey: string, idempotencyKey: string, entries: number): StillwaterError =>
  new StillwaterError('idempotency-key-reused', {
    what: 'The idempotency key belongs to an append of other entries.',
    evidence: `  key     ${idempotencyKey}\n  stream  ${redisKey}\n  now     ${counted(entries, 'entry', 'entries')}, not those appended with it`,
    consequence: 'Nothing was appended to this stream.',
    remedy: 'Use a new key for each request, and the same only to repeat it unchanged.',
  });
