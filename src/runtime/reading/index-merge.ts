import { indexState } from '../../view/index-order.js';
import { compareText } from '../../zset/text-order.js';
import type { TaskRecord } from '../ports/task-store.js';
import type { StoredRow, ViewStore } from '../ports/view-store.js';
import type { TaskId } from '../task-id.js';
import type { IndexPath, MemberRange } from './rows-path.js';
import type { ServedView } from './served-view.js';

export interface IndexScan {
  readonly store: ViewStore;
  readonly view: ServedView;
  readonly index: IndexPath;
  readonly range: MemberRange;
  /** Members that one read asks for. */
  readonly size: number;
  /** The member behind which it begins; null for all of the range. */
  readonly after: string | null;
}

/** The rows of an index in its order, from all partitions: those of the least member first, or of the greatest if read backward. */
export class IndexMerge {
  readonly #heads: readonly Head[];
  readonly #backward: boolean;

  constructor(scan: IndexScan) {
    this.#backward = scan.index.direction === 'backward';
    this.#heads = scan.view.tasks.map((task) => new Head(indexPages(scan, task)));
  }

  /** By partition, the commit of its first read. */
  get records(): (TaskRecord | null)[] {
    return this.#heads.map(({ record }) => record);
  }

  /** The next row; null at the end. */
  async next(): Promise<StoredRow | null> {
    await Promise.all(this.#heads.map((head) => head.fill()));
    let first: Head | null = null;
    for (const head of this.#heads) {
      if (head.member === null) continue;
      if (first === null || compareText(head.member, first.member!) < 0 !== this.#backward) first = head;
    }
    return first && first.take();
  }
}

/** The pages of an index in one partition. */
export async function* indexPages(
  { store, view, index, range, size, after }: IndexScan,
  task: TaskId,
): AsyncGenerator<IndexPage> {
  const reverse = index.direction === 'backward';
  const state = indexState(index.place);
  const to = reverse ? range.from : range.to;
  let from = reverse ? range.to : range.from;
  let seen = after;
  for (;;) {
    const limit = size + 1;
    const page = await store.byIndex(task, view.generation.buckets, {
      state,
      from,
      to,
      reverse,
      limit,
    });
    const members = page.members;
    // Reversed, a page begins at the last member of the one before: there is no text just below another.
    const repeated = reverse && members[0] !== undefined && members[0] === seen ? 1 : 0;
    yield { record: page.record, members: members.slice(repeated), rows: page.rows.slice(repeated) };
    if (members.length < limit) return;
    seen = members.at(-1)!;
    from = reverse ? seen : seen + '\0';
  }
}

/** What of a range is left behind a member. */
export function continued(range: MemberRange, after: string | null, backward: boolean): MemberRange {
  if (after === null) return range;
  return backward ? { from: range.from, to: after } : { from: after + '\0', to: range.to };
}

interface IndexPage {
  readonly record: TaskRecord | null;
  readonly members: readonly string[];
  readonly rows: readonly StoredRow[];
}

/** One partition's place in an index. */
class Head {
  #page: IndexPage = { record: null, members: [], rows: [] };
  #at = 0;
  #ended = false;
  #read = false;
  record: TaskRecord | null = null;

  constructor(readonly pages: AsyncGenerator<IndexPage>) {}

  get member(): string | null {
    return this.#page.members[this.#at] ?? null;
  }

  async fill(): Promise<void> {
    while (!this.#ended && this.#at >= this.#page.members.length) {
      const { value, done } = await this.pages.next();
      if (done) this.#ended = true;
      else {
        this.#page = value;
        this.#at = 0;
        if (!this.#read) this.record = value.record;
        this.#read = true;
      }
    }
  }

  take(): StoredRow {
    return this.#page.rows[this.#at++]!;
  }
}
