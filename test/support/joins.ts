import type { Arrangement } from '../../src/circuit/arrangement.js';
import { CountedArrangement } from '../../src/circuit/counted-arrangement.js';
import { KeyedArrangement, keyedArrangementCodec } from '../../src/circuit/keyed-arrangement.js';
import { OrderedArrangement } from '../../src/circuit/ordered-arrangement.js';
import type { CircuitBuilder } from '../../src/circuit/circuit-builder.js';
import { type ErrorSink, json } from '../../src/circuit/operator.js';
import { Join } from '../../src/circuit/operators/join.js';
import { type PageLimits, PairWorks } from '../../src/circuit/pair-works.js';
import { pairWorkCodec } from '../../src/circuit/pair-work.js';
import { queueCodec, WorkQueue } from '../../src/circuit/work-queue.js';

export type Kind = 'inner' | 'left' | 'right' | 'full' | 'semi' | 'anti';
export const KINDS: readonly Kind[] = ['inner', 'left', 'right', 'full', 'semi', 'anti'];

export interface JoinOptions {
  kind: Kind;
  /** One row for each key is expected, or any number. */
  left?: 'keyed' | 'ordered';
  right?: 'keyed' | 'ordered';
  condition?: ((left: any, right: any) => unknown) | null;
  /** How its pairs are paged; null: not at all. */
  limits?: PageLimits | null;
}

const NO_ERRORS: ErrorSink = { add: () => {} };

/** A join of `{ k, … }` with `{ k, … }`, as the plan would make it. Pairs are `{ l, r }`. */
export function joinOf(
  builder: CircuitBuilder,
  { kind, left = 'ordered', right = 'ordered', condition = null, limits }: JoinOptions,
  errors: ErrorSink = NO_ERRORS,
): Join {
  const matching = kind === 'semi' || kind === 'anti';
  const showsLeft = kind === 'left' || kind === 'full' || matching;
  const showsRight = kind === 'right' || kind === 'full';
  const rows = (name: string, as: 'keyed' | 'ordered'): Arrangement =>
    as === 'keyed'
      ? new KeyedArrangement(builder.keyed(name, keyedArrangementCodec))
      : new OrderedArrangement(builder.ordered(name));
  const pairOf = (l: any, r: any): any => ({ l, r });
  const keyOf = (row: any): string | null => row.k;
  return new Join(
    {
      keyOf,
      rows: rows('left', left),
      shown: showsLeft ? { when: kind === 'semi' ? 'matched' : 'alone', as: (l) => pairOf(l, null) } : null,
      matches: showsLeft && condition ? builder.ordered('left.matches') : null,
    },
    {
      keyOf,
      rows:
        matching && !condition ? new CountedArrangement(builder.keyed('right', json)) : rows('right', right),
      shown: showsRight ? { when: 'alone', as: (r) => pairOf(null, r) } : null,
      matches: showsRight && condition ? builder.ordered('right.matches') : null,
    },
    {
      pairOf,
      givesPairs: !matching,
      condition: condition && (({ l, r }: any) => condition(l, r)),
      errors,
    },
    new PairWorks(
      limits === null ? null : new WorkQueue(builder.keyed('work', queueCodec(pairWorkCodec))),
      limits ?? undefined,
    ),
  );
}

/** A multiset by the rows' texts. */
export class Bag {
  readonly rows = new Map<string, number>();

  add(entries: Iterable<readonly [row: unknown, weight: number]>): this {
    for (const [row, weight] of entries) {
      const text = JSON.stringify(row);
      const sum = (this.rows.get(text) ?? 0) + weight;
      if (sum === 0) this.rows.delete(text);
      else this.rows.set(text, sum);
    }
    return this;
  }

  *[Symbol.iterator](): IterableIterator<[row: any, weight: number]> {
    for (const [text, weight] of this.rows) yield [JSON.parse(text), weight];
  }

  toJSON(): [string, number][] {
    return [...this.rows].sort(([left], [right]) => (left < right ? -1 : 1));
  }
}

/** What a join gives, from scratch. */
export function joined(left: Bag, right: Bag, { kind, condition = null }: JoinOptions): Bag {
  const out = new Bag();
  const passes = (l: any, r: any): boolean => {
    if (l.k === null || l.k !== r.k) return false;
    try {
      return condition === null || condition(l, r) === true;
    } catch {
      return false;
    }
  };
  const gives = kind !== 'semi' && kind !== 'anti';
  const matchedRight = new Set<string>();
  for (const [l, weight] of left) {
    let matched = false;
    for (const [r, times] of right) {
      if (!passes(l, r)) continue;
      matched = true;
      matchedRight.add(JSON.stringify(r));
      if (gives) out.add([[{ l, r }, weight * times]]);
    }
    const shown = kind === 'semi' ? matched : !matched && kind !== 'inner' && kind !== 'right';
    if (shown) out.add([[{ l, r: null }, weight]]);
  }
  if (kind === 'right' || kind === 'full')
    for (const [r, weight] of right)
      if (!matchedRight.has(JSON.stringify(r))) out.add([[{ l: null, r }, weight]]);
  return out;
}

/** The pairs that the condition throws on. */
export function failing(left: Bag, right: Bag, { condition }: JoinOptions): Bag {
  const out = new Bag();
  for (const [l, weight] of left)
    for (const [r, times] of right)
      if (l.k !== null && l.k === r.k)
        try {
          condition?.(l, r);
        } catch {
          out.add([[{ l, r }, weight * times]]);
        }
  return out;
}
