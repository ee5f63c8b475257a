import type { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { Arrangement, Kept } from './arrangement.js';
import type { TextRange } from './known-group.js';
import type { ErrorSink, Ordered } from './operator.js';
import type { Change, PairWork, SideName } from './pair-work.js';
import { freezeRow, isTrue, RowCalls } from './row-function.js';

/** Rows that are shown by themselves: where none of the other side matches, or where any does; and as what. */
export interface Shown {
  readonly when: 'alone' | 'matched';
  readonly as: (row: Row) => Row;
}

/** One side of a join, as it is kept. */
export interface PairSide {
  /** The text of a row's join key; null where a column of it is null, which equals nothing. */
  readonly keyOf: (row: Row) => string | null;
  readonly rows: Arrangement;
  /**
   * By key and row, the weight of the other side's rows that match it; kept where that decides what is shown and the key
   * alone does not say.
   */
  readonly matches: Ordered | null;
}

export interface PairOptions {
  /** What a pair gives, and what the condition is asked of. */
  readonly pairOf: (left: Row, right: Row) => Row;
  /** Whether the pairs are the output, or only looked for. */
  readonly givesPairs: boolean;
  /** What pairs must fulfil beside having equal keys. */
  readonly condition: ((pair: any) => unknown) | null;
  readonly errors: ErrorSink;
  /** Which rows of the other side (by their members) a row of this side can be paired with; all of its key, if not said. */
  readonly reach?: ((side: SideName, row: Row) => TextRange & { readonly to: string }) | undefined;
}

export const otherSide = (side: SideName): SideName => (side === 'left' ? 'right' : 'left');

/** Pairs the changes of one side with the rows of the other, a page of these at a time. */
export class Pairing {
  readonly #calls: RowCalls<boolean> | null;

  constructor(
    readonly sides: { readonly left: PairSide; readonly right: PairSide },
    readonly options: PairOptions,
  ) {
    const { condition } = options;
    this.#calls = condition && new RowCalls({ call: condition, check: isTrue });
  }

  /**
   * Asks for a page of the other side, from which `retracted` rows will have been taken away, and for what is kept of its
   * matches. How many pairs it gives at the most; null while it is not loaded.
   */
  want({ side, key, changes, from, to }: PairWork, count: number, retracted: number): number | null {
    const { [side]: own, [otherSide(side)]: other } = this.sides;
    if (own.matches !== null) for (const { text } of changes) own.matches.wantMember(key, text);
    const page = { from, to, count };
    if (!other.rows.wantPage(key, page, retracted)) return null;
    other.matches?.wantBetween(key, from, other.rows.reach(key, page, retracted));
    return changes.length * other.rows.rowsIn(key, page);
  }

  /**
   * Pairs with one page, of `count` rows and about as many pairs at the most. `met`, if any, is told of rows of the other side by how
   * much the weight of their matches changes. Where the next page begins; null where that was the last.
   */
  step(
    { side, key, changes, from, to }: PairWork,
    count: number,
    output: Delta<Row>,
    met: ((row: Kept, change: number) => void) | null,
  ): string | null {
    const { pairOf, givesPairs, reach } = this.options;
    const { rows, next } = this.sides[otherSide(side)].rows.page(key, { from, to, count });
    const candidates = reach === undefined ? null : new Candidates(changes);
    let pairs = 0;
    for (const kept of rows) {
      if (pairs > count && kept.text !== undefined) return kept.text;
      let matched = 0;
      const reached = candidates === null ? changes : candidates.in(reach!(otherSide(side), kept.row));
      for (const change of reached) {
        pairs++;
        const pair = side === 'left' ? pairOf(change.row, kept.row) : pairOf(kept.row, change.row);
        const weight = kept.weight * change.weight;
        if (this.#calls !== null && !this.#passes(pair, weight)) continue;
        if (givesPairs) output.push(pair, weight);
        matched += change.weight;
        change.matched += kept.weight;
      }
      met?.(kept, matched);
    }
    return next;
  }

  #passes(pair: Row, weight: number): boolean {
    try {
      return this.#calls!.of(freezeRow(pair));
    } catch (thrown) {
      this.options.errors.add(pair, weight, thrown);
      return false;
    }
  }
}

/** The changes of a work, in the order of their members; those of a range are asked for in rising order. */
class Candidates {
  readonly #sorted: readonly Change[];
  #first = 0;

  constructor(changes: readonly Change[]) {
    this.#sorted = [...changes].sort(({ text: left }, { text: right }) => (left < right ? -1 : 1));
  }

  *in({ from, to }: TextRange & { to: string }): IterableIterator<Change> {
    while (this.#first < this.#sorted.length && this.#sorted[this.#first]!.text < from) this.#first++;
    for (let index = this.#first; index < this.#sorted.length; index++) {
      const change = this.#sorted[index]!;
      if (change.text >= to) return;
      yield change;
    }
  }
}
