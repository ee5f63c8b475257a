import { defaultLimits, type Limits } from '../../runtime/limits.js';
import { Random } from '../random.js';
import type { SlotsThatGoBack } from './checkpoints.js';

/** Makes another seed of one: what is drawn of it leaves the rest of the run as it is. */
const OTHER_SEED = 0x5ca1ab1e;
const ANOTHER_SEED = 0x9a275;

/** Limits under which batches, caches and rhythms are small or large, and waits are short. */
export const randomLimits = (
  random: Random,
  { tasksMove, slotsGoBack }: { readonly tasksMove?: true; readonly slotsGoBack?: SlotsThatGoBack },
): Limits => ({
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
  // Drawn apart: where it holds nobody back a seed takes the course that it takes without.
  replaySkewMsMax: new Random(random.seed ^ OTHER_SEED).of([1, 2_000, 60_000, defaultLimits.replaySkewMsMax]),
  // Where they are small there are entries of several events.
  partRowsMax: new Random(random.seed ^ ANOTHER_SEED).of([
    1,
    3,
    ...new Array<number>(4).fill(defaultLimits.partRowsMax),
  ]),
  ...(tasksMove && { balanceMs: random.of([500, 2_000]) }),
  ...(slotsGoBack && { exchangeKeptMs: random.of([500, 10_000]) }),
});
