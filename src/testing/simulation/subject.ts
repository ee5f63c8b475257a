import { partitionKeys, partitionOf, type RecordSource } from '../../runtime/placement.js';
import type { RawEntry } from '../../runtime/ports/source-log.js';
import type { Position } from '../../runtime/position.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import type { Random } from '../random.js';

/** Rows by what identifies them. */
export type Shown = Map<string, Record<string, unknown>>;

/** A stream or table and what its producers append to it. */
export interface SimulatedSource {
  readonly source: RecordSource;
  /** `now`: when it is appended. */
  entry(random: Random, now: number): { redisKey: string; fields: string[] };
}

/** To what the clocks of partitions were raised, by Redis key and by the entry behind which. */
export type Heartbeats = ReadonlyMap<string, ReadonlyMap<Position, number>>;

/** What a subject is made with. */
export interface Shape {
  readonly partitions: number;
  readonly buckets: number;
  /** Of all its logs; what they lose then goes to an archive. */
  readonly retain?: { readonly entries: number } | undefined;
}

/** Views, their sources, and what they must show in the end, computed from the log in the plainest way. */
export interface Subject {
  readonly name: string;
  readonly views: readonly ViewDeclaration[];
  readonly sources: readonly SimulatedSource[];
  /** By view; the log, in which each event is an entry of its own (those of one entry have its id), and its heartbeats by Redis key. */
  expected(log: ReadonlyMap<string, readonly RawEntry[]>, heartbeats: Heartbeats): Map<string, Shown>;
  /** Views that show a row of these only when it is final: some may be missing. */
  readonly final?: readonly string[];
  /** Views to which time adds rows and from which it takes none: what is shown of them and not expected is shown too early. */
  readonly onlyAdded?: readonly string[];
  /** What its logs lose is gone: nothing is archived. */
  readonly losesForGood?: true;
  /** What is true of each row as it is stored, whenever it is of one frontier. */
  readonly always?: (row: Record<string, unknown>) => boolean;
}

/** A source to which rows like these are appended; of a table so many of them are deletions. */
export const appended = (
  source: RecordSource,
  rowOf: (random: Random, now: number) => object,
  deletions = 0,
): SimulatedSource => ({
  source,
  entry(random, now) {
    const row = rowOf(random, now);
    const op = deletions > 0 && random.chance(deletions) ? ['op', 'delete'] : [];
    return {
      redisKey: partitionKeys(source)[partitionOf(source)?.(row as never) ?? 0]!,
      fields: [...op, 'data', JSON.stringify(row)],
    };
  },
});
