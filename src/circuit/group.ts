import { assert } from '../assert.js';
import type { Row } from '../zset/value.js';
import type { Aggregator } from './aggregator.js';
import { generatedFold } from './generated-fold.js';
import type { Codec } from './operator.js';

/**
 * A group's state: how many rows it has, and its accumulators. The row it shows follows from them and is not kept: a
 * million rows that outlive their tick cost more than making one anew.
 */
export class Group {
  constructor(
    public count: number,
    public readonly accumulators: any[],
  ) {}
}

/** That of no rows. */
export const emptyGroup = (aggregators: readonly Aggregator[]): Group =>
  new Group(
    0,
    aggregators.map((aggregator) => aggregator.initial()),
  );

/** Makes of accumulators, in place, what may be stored and shown. */
export function settle(accumulators: any[], aggregators: readonly Aggregator[], group: string): void {
  for (let slot = 0; slot < aggregators.length; slot++) {
    const aggregator = aggregators[slot]!;
    if (aggregator.settle) accumulators[slot] = aggregator.settle(accumulators[slot], group);
  }
}

/** A group as `[count, accumulator, …]`, each accumulator in its aggregator's own form. */
export function groupCodec(aggregators: readonly Aggregator[]): Codec<Group> {
  const revivers = aggregators.map(
    ({ codec, revive }) => revive ?? ((stored: unknown) => codec.decode(JSON.stringify(stored))),
  );
  return {
    encode: (group) => {
      let text = '[' + group.count;
      for (let slot = 0; slot < aggregators.length; slot++)
        text += ',' + aggregators[slot]!.codec.encode(group.accumulators[slot]);
      return text + ']';
    },
    decode: (text) => {
      const stored = JSON.parse(text) as [number, ...unknown[]];
      const accumulators: unknown[] = new Array(aggregators.length);
      for (let slot = 0; slot < aggregators.length; slot++)
        accumulators[slot] = revivers[slot]!(stored[slot + 1]);
      return new Group(stored[0], accumulators);
    },
  };
}

/** Takes a row, or a part, into its group. */
export type Take = (group: Group, row: Row, weight: number, order: string | undefined, key: string) => void;

export function folding(aggregators: readonly Aggregator[]): Take {
  const fold = generatedFold(aggregators);
  return (group, row, weight, order, key) => {
    group.count += weight;
    fold(group.accumulators, row, weight, order, key);
  };
}

/** Of what was folded before: the text in a row, and what reads it. */
export interface PartReader {
  readonly textOf: (row: Row) => string;
  readonly codec: Codec<Group>;
}

export function merging({ textOf, codec }: PartReader, aggregators: readonly Aggregator[]): Take {
  return (group, row, weight) => {
    assert(weight > 0, 'A part of a group was taken back.');
    // Equal parts of several ticks may have been moved as one.
    for (let times = 0; times < weight; times++) {
      const part = codec.decode(textOf(row));
      group.count += part.count;
      for (let slot = 0; slot < aggregators.length; slot++)
        group.accumulators[slot] = aggregators[slot]!.merge!(
          group.accumulators[slot],
          part.accumulators[slot],
        );
    }
  };
}
