import { instantText } from '../zset/instant-text.js';
import type { Row } from '../zset/value.js';
import { changeOf, retractionsIn } from './arrangement.js';
import { DUE_MAX, type DueTimes } from './due-times.js';
import type { PairWork, SideName } from './pair-work.js';
import type { PairSide } from './pairing.js';
import { type ColumnTime, columnWatermark, type Time } from './time.js';

/** At least so many rows of a key go at once: what is due may be many keys with a few rows each. */
const ROWS_PAGE_MIN = 8;

export interface FreezingKeys {
  /** Of the joined column on both sides: the slower one decides. */
  readonly time: ColumnTime;
  /** The keys of which rows are kept, each at its instant, with how many rows both sides have of it. */
  readonly due: DueTimes;
  /** The joined column of a row. */
  readonly atOf: { readonly [side in SideName]: (row: Row) => string };
}

type Sides = { readonly [side in SideName]: Pick<PairSide, 'rows' | 'matches'> };

/**
 * The end of join keys that no row of either side comes to or goes from any more, since a column they are joined by has a
 * watermark on both sides: what is kept of them goes, and what was shown of them stays.
 *
 * One side alone does not decide: what it keeps of a key that only it has passed is what the other's rows still meet.
 */
export class FrozenKeys {
  /** More is over than one tick takes. */
  unfinished = false;
  #bound = '';
  /** The keys that are over, at their instants, as far as the tick comes to them. */
  readonly #over = new Map<string, string>();
  /** How many rows of a key, on each side, one tick takes away. */
  #page = 0;

  constructor(readonly options: FreezingKeys) {}

  /** Asks for what is over at this time, also of keys whose rows come with it. */
  want(time: Time, works: Iterable<PairWork>, sides: Sides): void {
    const { due } = this.options;
    this.#bound = instantText(columnWatermark(time, this.options.time));
    this.discard();
    const retracted = { left: new Map<string, number>(), right: new Map<string, number>() };
    const changed = new Set<string>();
    for (const work of works) {
      const { side, key, changes } = work;
      const at = this.#atOf(work);
      if (at === null) continue;
      due.want(at, key);
      changed.add(key);
      retracted[side].set(key, (retracted[side].get(key) ?? 0) + retractionsIn(changes));
      if (at < this.#bound) this.#over.set(key, at);
    }
    if (!due.wantDue(this.#bound)) return;
    const found = due.due(this.#bound);
    this.unfinished = found.more;
    for (const { at, key } of found.due) this.#over.set(key, at);
    // How many matches a tick takes away otherwise is not known before it is made.
    if (sides.left.matches !== null || sides.right.matches !== null)
      for (const key of changed) if (this.#over.delete(key)) this.unfinished = true;
    this.#page = Math.max(ROWS_PAGE_MIN, Math.ceil(DUE_MAX / this.#over.size));
    for (const key of this.#over.keys())
      for (const side of ['left', 'right'] as const) {
        sides[side].rows.wantFreed(key, this.#page, retracted[side].get(key) ?? 0);
        sides[side].matches?.wantEnd(key, 'least', this.#page, 0);
      }
  }

  /** The changes of a work are applied to its side. */
  changed(work: PairWork): void {
    const at = this.#atOf(work);
    if (at === null) return;
    this.options.due.add(at, work.key, changeOf(work.changes));
  }

  /** Takes away what is over, as much as a tick takes. */
  free({ left, right }: Sides): void {
    const { due } = this.options;
    for (const [key, at] of this.#over) {
      for (const { rows, matches } of [left, right]) {
        due.add(at, key, -rows.free(key, this.#page));
        // A row has at most one member there: they are through when the rows are.
        for (const [member, weight] of matches?.end(key, 'least', this.#page) ?? [])
          matches!.add(key, member, -weight);
      }
      if (due.weight(at, key) > 0) this.unfinished = true;
    }
    this.#over.clear();
  }

  discard(): void {
    this.#over.clear();
    this.unfinished = false;
  }

  #atOf({ side, changes }: PairWork): string | null {
    const [first] = changes;
    return first ? this.options.atOf[side](first.row) : null;
  }
}
