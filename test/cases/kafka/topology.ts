import type { CaseFile } from '../case-file.js';

/** A record of a topic. A value of null deletes the row of its key in a table, and is no record of a stream. */
export interface TopicRecord {
  readonly topic?: string;
  readonly side?: 'left' | 'right';
  readonly key: unknown;
  readonly value: unknown;
  readonly ts: number;
}

/** What a topology emits: the rows that a view has more or other than before; null takes the key's row away. */
export interface Emitted {
  /** Of a window: an object of key, start and end, or `[key@start/end]`. */
  readonly key: unknown;
  readonly value: unknown;
  readonly ts: number;
}

export interface TopicStep {
  readonly input?: TopicRecord;
  readonly inputs?: readonly TopicRecord[];
  readonly expect: readonly Emitted[];
  /** Of which of several outputs. */
  readonly output?: string;
}

export interface TopicWindow {
  readonly kind: string;
  readonly grace_ms?: number;
  readonly before_ms?: number;
  readonly after_ms?: number;
  readonly size_ms?: number;
  readonly advance_ms?: number;
  readonly gap_ms?: number;
  readonly time_difference_ms?: number;
}

export interface Topology {
  readonly left?: string;
  readonly right?: string;
  readonly joins?: readonly { readonly op: string; readonly with: string }[];
  readonly versioned?: { readonly left: boolean; readonly right: boolean };
  readonly operators?: readonly string[];
  readonly windows: readonly TopicWindow[];
  readonly value_joiner?: string;
  readonly emit?: string;
  readonly aggregator?: string;
  readonly suppress?: readonly string[];
}

/** A case of Kafka Streams: a topology, records in the order in which they are processed, and what each step emits. */
export interface KafkaCase extends CaseFile {
  readonly topology: Topology;
  readonly steps: readonly TopicStep[];
}

export const recordsOf = ({ input, inputs }: TopicStep): readonly TopicRecord[] => inputs ?? [input!];
