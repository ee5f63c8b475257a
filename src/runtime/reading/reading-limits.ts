/** Every bound of reading views, by name. */
export interface ReadingLimits {
  /** Rows a page holds when nothing is said, and at the most. */
  rowsLimitDefault: number;
  rowsLimitMax: number;
  /** Rows that may be skipped with `offset`; further on, cursors. */
  offsetMax: number;
  /** Rows of a view up to which it may be filtered and ordered without an index, and index members one read looks at. */
  unindexedRowsMax: number;
  /** Members one call to the store asks an index for. */
  indexPageMax: number;
  /** Values in one `in.(…)`, and conditions in one query. */
  inValuesMax: number;
  conditionsMax: number;
  /** How long a reader may wait for a position, and how often it looks. */
  waitMsMax: number;
  waitPollMs: number;
  /** How long what the registry said is believed when nobody announces a change. */
  registryRefreshMs: number;
  /** How long the store keeps writing a changelog after a subscriber last asked for it. */
  subscriptionMs: number;
  /** Changelog entries taken at a time. */
  changelogPageMax: number;
  /** Followers of changes in one process. */
  followersMax: number;
}

export const defaultReadingLimits: ReadingLimits = {
  rowsLimitDefault: 100,
  rowsLimitMax: 1_000,
  offsetMax: 1_000,
  unindexedRowsMax: 10_000,
  indexPageMax: 1_000,
  inValuesMax: 200,
  conditionsMax: 100,
  waitMsMax: 10_000,
  waitPollMs: 10,
  registryRefreshMs: 1_000,
  subscriptionMs: 60_000,
  changelogPageMax: 500,
  followersMax: 1_000,
};
