/** One complete incarnation of a view's state under one definition. */
export interface Generation {
  readonly view: string;
  readonly number: number;
  readonly fingerprint: string;
  /** The release that made it. */
  readonly release: number;
  /**
   * building   replaying; becomes `serving` when promoted
   * serving    what readers get
   * kept       was serving; stays for rollback, and is maintained while something that is not kept reads it
   * shadow     made by `verify`, never served
   * dropping   its keys are being deleted
   */
  readonly state: 'building' | 'serving' | 'kept' | 'shadow' | 'dropping';
  /** When it took this state. */
  readonly since: number;
  readonly paused: boolean;
  /** Over how many its rows are spread: the tasks of its last stage. */
  readonly partitions: number;
  /** The stages before the last, where it has any: over how many tasks each is spread, and the states these keep. */
  readonly stages?: readonly { readonly partitions: number; readonly states: Generation['states'] }[];
  readonly buckets: number;
  /** The states its tasks keep, so that it can be deleted by a process that has not its code. */
  readonly states: readonly { name: string; kind: 'keyed' | 'ordered' | 'index' }[];
  /** Views it reads and the generation it reads of each. */
  readonly upstreams: Readonly<Record<string, number>>;
  /** Redis keys of the stream partitions it reads, directly or through other views. */
  readonly sources: readonly string[];
  /** Tasks hold when they reach these positions (by Redis key of a source partition); null: they run on. */
  readonly stopAt: Readonly<Record<string, string>> | null;
  /** The rebuild or verification that made it; null for the first generation of a view. */
  readonly rebuild: string | null;
  /** May it be promoted as soon as it has caught up? */
  readonly promote: 'auto' | 'manual';
  /** It was asked for although the beginning of a source is gone. */
  readonly acceptTrimmed: boolean;
  readonly createdAt: number;
  /** Put back by a rollback: the newer generation that had served. */
  readonly rolledBackFrom?: number | null;
  /** What REST needs to read it when no process has its code: columns, key, indexes. */
  readonly description: unknown;
  /** Number of the format its values are stored in. */
  readonly format: number;
}

/** What tells of which keys a generation is made, and whose reader it is. */
export type GenerationShape = Pick<Generation, 'partitions' | 'stages' | 'buckets' | 'states' | 'upstreams'>;

export interface RegistrySnapshot {
  /** Rises with every change, and is none that was before where the registry went back: the time of the change in ms, or one more. */
  revision: number;
  /** The newest release seen. */
  release: number;
  /** What is trimmed goes into an archive: nobody without one trims. */
  archived: boolean;
  generations: readonly Generation[];
  /** By view, the highest number that a generation of it was ever given: none is given a second time. */
  numbers: Readonly<Record<string, number>>;
}

/** What exists: releases, generations and which one serves each view. Small, shared by all processes. */
export abstract class Registry {
  /**
   * The number of the release with this identity (the hash of all its fingerprints); a new one gets the next number. What
   * begins with "~" was saved by somebody who edits, and is not named again: only the newest of these is remembered.
   */
  abstract register(release: string): Promise<number>;

  abstract read(): Promise<RegistrySnapshot>;

  /**
   * Applies a change to the registry if its revision is still the one the change was made from: generations to put
   * (new or replaced) and to remove, and whether there is an archive, where that is to be said. Remembers the numbers of what
   * is put. Null if the revision was another: read again and decide again.
   */
  abstract change(
    revision: number,
    puts: readonly Generation[],
    removes: readonly { view: string; number: number }[],
    archived?: boolean,
  ): Promise<number | null>;
}
