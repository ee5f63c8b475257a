import { aggregatorsByKind } from '../../src/circuit/aggregators/aggregator-of.js';
import type { Aggregator, AggregatorInput, AggregatorOptions } from '../../src/circuit/aggregator.js';
import { generatedRead, generatedRow } from '../../src/circuit/generated-row.js';
import type { Ordered } from '../../src/circuit/operator.js';
import { groupCodec } from '../../src/circuit/group.js';
import { Aggregate } from '../../src/circuit/operators/aggregate.js';
import type { Value } from '../../src/zset/value.js';
import { Stepped } from './stepped.js';

/** A row to aggregate: `g` is its group, `v` what is aggregated, `b` what orders, `t` a test or a truth. */
export interface Fact {
  g: string;
  v: Value;
  b: Value;
  t: boolean | null;
}
export type Kind = keyof typeof aggregatorsByKind;

/** An aggregate under test: its kind, or that and options. */
export type Written = Kind | readonly [kind: Kind, options: AggregatorOptions];

export interface Over {
  appendOnly?: boolean;
  inLogOrder?: boolean;
  /** Lists are ordered by `b`. */
  listsBy?: boolean;
  entriesMax?: number;
}

const LISTS: readonly Kind[] = ['collect', 'collectDistinct', 'joinText'];
const TRUTHS: readonly Kind[] = ['every', 'some'];

export const kindOf = (written: Written): Kind => (typeof written === 'string' ? written : written[0]);

export function aggregatorOf(written: Written, members: () => Ordered, over: Over = {}): Aggregator {
  const kind = kindOf(written);
  const input: AggregatorInput = {
    value: generatedRead(TRUTHS.includes(kind) ? 't' : 'v'),
    present: false,
    by: over.inLogOrder || (LISTS.includes(kind) && !over.listsBy) ? null : generatedRead('b'),
    test: TRUTHS.includes(kind) ? null : generatedRead('t'),
    options: typeof written === 'string' ? {} : written[1],
    inLogOrder: over.inLogOrder ?? false,
    appendOnly: over.appendOnly ?? false,
    members,
  };
  return aggregatorsByKind[kind](input);
}

/** Groups by `g`, with a column for each aggregate: `0`, `1`, …  */
export function aggregated(all: readonly Written[], over: Over = {}): Stepped {
  return new Stepped(
    (builder) => {
      const aggregators = all.map((written, slot) =>
        aggregatorOf(written, () => builder.ordered(`members.${slot}`), over),
      );
      return new Aggregate(builder.keyed('groups', groupCodec(aggregators)), {
        groupKeyOf: (row) => (row as unknown as Fact).g,
        rowOf: generatedRow([
          { name: 'g', from: { path: 'g' } },
          ...all.map((written, slot) => ({ name: nameOf(written, slot), from: { value: slot } })),
        ]),
        aggregators,
      });
    },
    { entriesMax: over.entriesMax ?? 1 },
  );
}

/** Its kind, numbered where it has options. */
export const nameOf = (written: Written, slot: number): string =>
  typeof written === 'string' ? written : `${written[0]}.${slot}`;

/** What reading again costs: the fetches of one tick over caches that have forgotten everything. */
export function coldFetches(group: Stepped, entries: readonly (readonly [Fact, number])[]): number {
  const before = group.store.fetched;
  for (const state of group.states) state.drop();
  group.step(entries);
  return group.store.fetched - before;
}
