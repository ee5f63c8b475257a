import { instant, stream, table } from 'stillwater';
import { z } from 'zod';
import type { Append, LogWriter } from '../../../src/testing/history.js';
import type { TopicRecord } from './topology.js';

const COLUMNS = {
  /** JSON, for keys are numbers and texts. */
  key: z.string().nullable(),
  value: z.string().nullable(),
  at: instant(),
  ts: z.int(),
  /** By time, and of equal times by when it was processed. */
  order: z.string(),
  /** Which record it was of all that were processed, and the same as an instant. */
  arrived: z.int(),
  arrivedAt: instant(),
};

export const keyText = (key: unknown): string | null =>
  key === null || key === undefined ? null : JSON.stringify(key);
export const valueText = (value: unknown): string | null =>
  value === null || value === undefined ? null : String(value);
export const instantOf = (ms: number): string => new Date(ms).toISOString();

/** A topic as the product keeps it. */
export abstract class Topic {
  abstract readonly rows: any;

  abstract append(record: TopicRecord, arrived: number, log: LogWriter): Append;

  /** Time passes in it: records of other topics have been processed. */
  abstract pass(ms: number, log: LogWriter): Append;
}

const rowOf = ({ key, value, ts }: TopicRecord, arrived: number): Record<string, unknown> => ({
  key: keyText(key),
  value: valueText(value),
  at: instantOf(ts),
  ts,
  order: `${String(ts).padStart(16, '0')} ${String(arrived).padStart(8, '0')}`,
  arrived,
  arrivedAt: instantOf(arrived),
});

/** A topic of events. Those without a value are none, wherever it is read. */
export class EventTopic extends Topic {
  readonly rows: any;

  constructor(
    name: string,
    latenessMs: number | null,
    readonly eventTime: 'at' | 'arrivedAt' = 'at',
  ) {
    super();
    this.rows = stream(name, {
      schema: z.object(COLUMNS),
      eventTime: eventTime as 'at',
      ...(latenessMs !== null && { lateness: `${latenessMs}ms` }),
    });
  }

  append(record: TopicRecord, arrived: number, log: LogWriter): Append {
    return log.records(this.rows.declaration, [rowOf(record, arrived)]);
  }

  pass(ms: number, log: LogWriter): Append {
    return log.heartbeats(this.rows.declaration, ms);
  }
}

/** A topic of which the last record of each key counts, in the order in which they were processed. */
export class TableTopic extends Topic {
  readonly rows: any;

  constructor(name: string) {
    super();
    this.rows = table(name, { schema: z.object({ ...COLUMNS, key: z.string() }), key: 'key' });
  }

  append(record: TopicRecord, arrived: number, log: LogWriter): Append {
    const key = keyText(record.key);
    if (key === null) return [];
    if (record.value === null) return log.tombstones(this.rows.declaration, [key]);
    return log.records(this.rows.declaration, [rowOf(record, arrived)]);
  }

  pass(): Append {
    return [];
  }
}

/**
 * A topic whose records say since when a value holds, by their own time or by when they were processed. A record without a
 * value is a version that has none.
 */
export class VersionedTopic extends Topic {
  readonly rows: any;

  constructor(
    name: string,
    readonly eventTime: 'at' | 'arrivedAt',
  ) {
    super();
    this.rows = table(name, { schema: z.object({ ...COLUMNS, key: z.string() }), key: 'key', eventTime });
  }

  append(record: TopicRecord, arrived: number, log: LogWriter): Append {
    return keyText(record.key) === null ? [] : log.records(this.rows.declaration, [rowOf(record, arrived)]);
  }

  pass(): Append {
    return [];
  }
}
