import { defaultReadingLimits, type ReadingLimits } from '../runtime/reading/reading-limits.js';

/** Every bound of the HTTP surface, by name; with those of reading. */
export interface ServingLimits extends ReadingLimits {
  /** Bytes of a request's body. */
  bodyBytesMax: number;
  /** Characters of a request's path parameters (not of keys at a path's end). */
  pathSegmentMax: number;
  idempotencyKeyLengthMax: number;
  /** How long an idempotency key is remembered. */
  appendMemoryMs: number;
  /** Errors of a view that are listed, when nothing is said and at the most. */
  errorsLimitDefault: number;
  errorsLimitMax: number;
  /** Between comments that keep a quiet connection open. */
  keepAliveMs: number;
  /** How long a client waits before it opens a lost connection again. */
  reconnectMs: number;
}

export const defaultServingLimits: ServingLimits = {
  ...defaultReadingLimits,
  bodyBytesMax: 16 * 1024 * 1024,
  pathSegmentMax: 500,
  idempotencyKeyLengthMax: 200,
  appendMemoryMs: 24 * 60 * 60 * 1_000,
  errorsLimitDefault: 50,
  errorsLimitMax: 1_000,
  keepAliveMs: 15_000,
  reconnectMs: 1_000,
};
