import { defaultLimits, type Limits } from '../../runtime/limits.js';
import type { Random } from '../random.js';

/** Limits under which batches, caches and rhythms are small or large, and waits are short. */
export const randomLimits = (random: Random): Limits => ({
  ...defaultLimits,
  commitWritesMax: random.of([4, 30, 4_000]),
  readEntriesMax: random.of([3, 50, 8_000]),
  readBytesMax: random.of([200, defaultLimits.readBytesMax]),
  exchangeEntriesMax: random.of([1, 3, defaultLimits.exchangeEntriesMax]),
  cacheEntriesMax: random.of([1, 10, 10_000]),
  cacheObjectsMax: 4,
  leaseMs: 1_500,
  regainMs: 7_500,
  registryRefreshMs: random.of([300, 700]),
  waitMs: random.of([500, 1_500]),
  readerReportMs: random.of([300, 1_000]),
  parkedRetryMs: 500,
  heartbeatIdleMs: random.of([600, 1_500]),
  clocksMs: random.of([200, 600]),
  retentionMs: 400,
  archiveEntriesMax: random.of([2, 20, 100]),
  archiveMs: random.of([1, 1_000]),
  archiveAgeMs: 4_000,
  keptMs: 3_000,
  changelogEntriesMin: random.of([1, 20]),
});
