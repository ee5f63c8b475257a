export interface WorkerInfo {
  readonly id: string;
  /** The fingerprints of the views whose code the worker has. */
  readonly fingerprints: readonly string[];
  readonly role: 'all' | 'worker';
  readonly startedAt: number;
  /** It hands over: its tasks fall to others, each as soon as it has let go of it. */
  readonly leaving?: true;
  /** It has an archive: what is trimmed is for those who have one. */
  readonly archives?: true;
  /** Tasks of it whose commits are being refused, by name, and why: some of them. */
  readonly waiting?: Readonly<Record<string, string>>;
  /** What its tasks cost it, by name, in milliseconds of work a second: of those that cost anything. A worker without it does not measure. */
  readonly costs?: Readonly<Record<string, number>>;
  /** The latest decision it knows of. */
  readonly moved?: Moved;
}

/** A decision that source partitions are to be elsewhere than where they fall by themselves. */
export interface Moved {
  /** A later one has a greater number. */
  readonly number: number;
  /** The worker that took it. */
  readonly by: string;
  readonly to: Readonly<Record<string, string>>;
}

export interface LiveWorkers {
  /** By id. */
  readonly live: readonly WorkerInfo[];
  /** Redis's clock. */
  readonly now: number;
  /** Why Redis takes no writes at the moment: nobody can say that it is alive, and these are those who said it last. */
  readonly refused?: string;
}

/** Who is alive. Leases are of workers: tasks only carry the epoch of their owner. */
export abstract class Workers {
  /** Says that the worker is alive for `leaseMs` more, by Redis's clock. All live workers, itself included, and that clock. */
  abstract renew(worker: WorkerInfo, leaseMs: number): Promise<LiveWorkers>;
  abstract leave(id: string): Promise<void>;
  abstract live(): Promise<LiveWorkers>;
  /** Tells the others that something changed (a released task, a new generation, a new reader). A hint; may be lost. */
  abstract announce(): Promise<void>;
  /** Calls `listener` on announcements of others. Returns how to stop. */
  abstract onAnnouncement(listener: () => void): () => void;
}
