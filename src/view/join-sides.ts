import type { Arrangement } from '../circuit/arrangement.js';
import { DueTimes } from '../circuit/due-times.js';
import { FrozenKeys } from '../circuit/frozen-keys.js';
import { generatedKey, generatedRead } from '../circuit/generated-row.js';
import { KeyedArrangement, keyedArrangementCodec } from '../circuit/keyed-arrangement.js';
import type { Ordered } from '../circuit/operator.js';
import { OrderedArrangement } from '../circuit/ordered-arrangement.js';
import { pairWorkCodec } from '../circuit/pair-work.js';
import { PairWorks } from '../circuit/pair-works.js';
import { queueCodec, WorkQueue } from '../circuit/work-queue.js';
import type { Row } from '../zset/value.js';
import { columnAt, holdsOnlyStrings } from './column.js';
import type { Relation } from './relation.js';
import type { PlanCompiler } from './compile-plan.js';
import { freezing, tightest } from './freezing.js';
import { type FrozenPair, frozenPairs, hasOneEach } from './join-relation.js';
import type { JoinKey } from './join-plan.js';
import type { PlanNode } from './plan.js';
import { rowTextOfColumns } from './row-texts.js';

/** A node that joins. */
interface Joining {
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly on: readonly JoinKey[];
}

type KeyOf = (row: Row) => string | null;

/** By which keys are frozen; null where nothing says so. */
export const frozenBy = ({ left, right, on }: Joining): FrozenPair | null =>
  tightest(frozenPairs(left.relation, right.relation, on));

/** For the fingerprint: which late rows count is decided by it. */
export function describeFrozen(node: Joining): { frozen?: readonly [string, string] } {
  const pair = frozenBy(node);
  return pair === null ? {} : { frozen: [pair.left, pair.right] };
}

/** The vertices of both sides' rows, without those that are late for what keys are frozen by. */
export function sidesOnTime({ left, right, on }: Joining, compiler: PlanCompiler): number[] {
  const pairs = frozenPairs(left.relation, right.relation, on);
  const inputOf = (input: PlanNode, side: 'left' | 'right'): number =>
    compiler.onTime(
      input,
      freezing(input.relation).filter(({ column }) => pairs.some((pair) => pair[side] === column)),
    );
  return [inputOf(left, 'left'), inputOf(right, 'right')];
}

/** What frees the keys of a join that are over. */
export function frozenKeys(node: Joining, compiler: PlanCompiler): FrozenKeys | null {
  const pair = frozenBy(node);
  if (pair === null) return null;
  const { left, right, time } = pair;
  compiler.needsTime(time);
  const atOf = (column: string) => generatedRead(column) as (row: Row) => string;
  const due = new DueTimes(compiler.ordered('due'));
  return new FrozenKeys({ time, due, atOf: { left: atOf(left), right: atOf(right) } });
}

/** The texts of both sides' join keys: equal values have equal texts; null where a column is null. */
export function keyTexts({ left, right, on }: Joining): { left: KeyOf; right: KeyOf } {
  const parts = on.map((pair) => ({
    ...pair,
    onlyStrings:
      holdsOnlyStringsAt(left.relation, pair.left) && holdsOnlyStringsAt(right.relation, pair.right),
  }));
  const textOf = (side: 'left' | 'right'): KeyOf =>
    generatedKey(
      parts.map((part) => ({ path: part[side], onlyStrings: part.onlyStrings })),
      'refused',
    );
  return { left: textOf('left'), right: textOf('right') };
}

/** What keeps the rows of a side, by join key. */
export function rowsOf(node: Joining, side: 'left' | 'right', compiler: PlanCompiler): Arrangement {
  const { relation } = node[side];
  const jsonOf = rowTextOfColumns(relation.columns);
  return hasOneEach(relation, node.on, side)
    ? new KeyedArrangement(compiler.keyed(side, keyedArrangementCodec), jsonOf)
    : new OrderedArrangement(compiler.ordered(side), { jsonOf });
}

export const matchesOf = (side: 'left' | 'right', compiler: PlanCompiler): Ordered =>
  compiler.ordered(`${side}.matches`);

/** What a tick leaves of the pairs to be made: nothing where no key can have many rows. */
export const worksOf = (node: Joining, compiler: PlanCompiler): PairWorks =>
  hasOneEach(node.left.relation, node.on, 'left') && hasOneEach(node.right.relation, node.on, 'right')
    ? new PairWorks(null)
    : pagedWorks(compiler);

export const pagedWorks = (compiler: PlanCompiler): PairWorks =>
  new PairWorks(new WorkQueue(compiler.keyed('work', queueCodec(pairWorkCodec))));

/** For the fingerprint. */
export const joinedBy = (on: readonly JoinKey[]): [string, string][] =>
  on.map((pair) => [pair.left, pair.right]);

/** For people. */
export const onText = (on: readonly JoinKey[]): string =>
  on.map((pair) => (pair.left === pair.right ? pair.left : `${pair.left} = ${pair.right}`)).join(' and ');

const holdsOnlyStringsAt = (relation: Relation, path: string): boolean => {
  const column = columnAt(relation.columns, path);
  return column !== null && holdsOnlyStrings(column.type);
};
