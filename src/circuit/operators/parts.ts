import { Delta } from '../../zset/delta.js';
import type { Row } from '../../zset/value.js';
import type { Aggregator } from '../aggregator.js';
import { emptyGroup, folding, type Group, settle, type Take } from '../group.js';
import type { Codec, Operator } from '../operator.js';

/** The column of a part that holds what is folded, beside those of its group. */
export const PART = '$part';

/**
 * Folds what a tick changes of each group, before it is moved to where the groups are kept.
 *
 *   in   Δ row
 *   out  Δ part    of each group one: its columns, and as text by how much it has more rows, and the accumulators of these
 *
 * Keeps nothing, so that a part is of one tick: other cuts give other parts, which merge to the same. It is never taken back; a
 * group whose changes cancel has none. Only for aggregators whose
 * accumulators are differences as well: of rows that go as of rows that come.
 */
export class Parts implements Operator {
  readonly #take: Take;

  constructor(
    readonly options: {
      groupKeyOf: (row: Row) => string;
      /** The part of a group, from any row of it and the text of what is folded. */
      partOf: (sample: Row, text: string) => Row;
      aggregators: readonly Aggregator[];
      codec: Codec<Group>;
    },
  ) {
    this.#take = folding(options.aggregators);
  }

  step([input]: readonly [Delta<Row>]): Delta<Row> {
    const { groupKeyOf, partOf, aggregators, codec } = this.options;
    const { rows, weights } = input;
    const groups = new Map<string, { sample: Row; group: Group }>();
    for (let index = 0; index < rows.length; index++) {
      const row = rows[index]!;
      const key = groupKeyOf(row);
      let found = groups.get(key);
      if (found === undefined) groups.set(key, (found = { sample: row, group: emptyGroup(aggregators) }));
      this.#take(found.group, row, weights[index]!, undefined, key);
    }
    const output = new Delta<Row>();
    const nothing = codec.encode(emptyGroup(aggregators));
    for (const [key, { sample, group }] of groups) {
      settle(group.accumulators, aggregators, key);
      const text = codec.encode(group);
      if (text !== nothing) output.push(partOf(sample, text), 1);
    }
    return output;
  }
}
