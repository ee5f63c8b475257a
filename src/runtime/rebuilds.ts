/** How a rebuild stands, for people. */
export interface RebuildStatus {
  readonly id: string;
  readonly view: string;
  /** All generations it makes: the view's and its dependents'. */
  readonly generations: readonly { view: string; generation: number }[];
  /** `held`: it has caught up, and `reason` says what is to be said against promoting it. */
  readonly state:
    'waiting' | 'replaying' | 'paused' | 'caughtUp' | 'held' | 'promoted' | 'cancelled' | 'failed';
  readonly reason: string | null;
  readonly entriesDone: number;
  readonly entriesTotal: number;
  /** Rows and entries in error in what it builds. */
  readonly errors: number;
  /** Entries per second of late; null while unknown. */
  readonly entriesPerSecond: number | null;
  readonly remainingMs: number | null;
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

export interface VerifyStatus {
  readonly id: string;
  readonly view: string;
  readonly state: 'waiting' | 'replaying' | 'comparing' | 'equal' | 'different' | 'failed' | 'cancelled';
  readonly reason: string | null;
  readonly entriesDone: number;
  readonly entriesTotal: number;
  /** Where both were compared, as a position token. */
  readonly frontier: string | null;
  readonly live: { generation: number; rows: number; checksum: string } | null;
  readonly replayed: { generation: number; rows: number; checksum: string } | null;
  /** The first differing rows, at most a hundred. */
  readonly differences: readonly { key: string; live: unknown; replayed: unknown }[];
  readonly startedAt: number;
  readonly finishedAt: number | null;
}

/** Asking for rebuilds and verifications, and following them. They run as jobs, in whichever worker takes them. */
export abstract class Rebuilds {
  /** @throws StillwaterError `unknown-view`; `log-trimmed` where a source's beginning is gone and `acceptTrimmed` is not set; `rebuilds-max`. */
  abstract start(view: string, options: { acceptTrimmed: boolean }): Promise<RebuildStatus>;
  abstract get(id: string): Promise<RebuildStatus | null>;
  abstract list(view: string | null): Promise<RebuildStatus[]>;
  abstract pause(id: string): Promise<RebuildStatus>;
  abstract resume(id: string): Promise<RebuildStatus>;
  abstract cancel(id: string): Promise<RebuildStatus>;
  /** Promotes what has caught up: of a view declared `promote: 'manual'`, or although it is held. */
  abstract promote(id: string): Promise<RebuildStatus>;
  /** Puts the kept generation back in place. */
  abstract rollback(view: string): Promise<{ view: string; generation: number }[]>;

  abstract startVerify(view: string): Promise<VerifyStatus>;
  /** Ends a verification; the live view goes on at once. */
  abstract cancelVerify(id: string): Promise<VerifyStatus>;
  abstract getVerify(id: string): Promise<VerifyStatus | null>;
}
