import { compareValues, type Row, type Value } from '../zset/value.js';
import type { Aggregator } from './aggregator.js';

/** A summary of rows that come at one end and go, the oldest first, at the other. */
export interface RollingFrame {
  push(row: Row): void;
  /** The oldest row, which is this one, goes. */
  shift(row: Row): void;
  result(): Value;
}

/** Of an aggregator that forgets a row as it took it in; what was before its rows is in `accumulator`. */
export function foldedFrame(aggregator: Aggregator, accumulator = aggregator.initial()): RollingFrame {
  return {
    push: (row) => (accumulator = aggregator.fold(accumulator, row, 1, undefined, '')),
    shift: (row) => (accumulator = aggregator.fold(accumulator, row, -1, undefined, '')),
    result() {
      accumulator = aggregator.settle?.(accumulator, '') ?? accumulator;
      return aggregator.result(accumulator, '');
    },
  };
}

/** Of the least or greatest value: those that a later one has overtaken are forgotten at once. */
export function extremeFrame(
  value: (row: Row) => Value,
  { end, shown = (held) => held }: { end: 'least' | 'greatest'; shown?: (value: Value) => Value },
): RollingFrame {
  const sign = end === 'least' ? 1 : -1;
  const waiting: { value: Value; seen: number }[] = [];
  let first = 0;
  let pushed = 0;
  let shifted = 0;
  return {
    push(row) {
      const held = value(row);
      const seen = pushed++;
      if (held === null) return;
      while (waiting.length > first && compareValues(waiting.at(-1)!.value, held) * sign >= 0) waiting.pop();
      waiting.push({ value: held, seen });
    },
    shift() {
      if (waiting[first]?.seen === shifted++) first++;
    },
    result: () => shown(waiting[first]?.value ?? null),
  };
}

/** Of the value of the oldest row, or of the newest. */
export function edgeFrame(value: (row: Row) => Value, edge: 'first' | 'last'): RollingFrame {
  const rows: Row[] = [];
  let first = 0;
  return {
    push: (row) => void rows.push(row),
    shift: () => void first++,
    result: () => value(edge === 'first' ? rows[first]! : rows.at(-1)!),
  };
}
