import { Build } from './build.js';
import { isScalar, kindOf, typeText } from './column.js';
import { durationMs } from './duration.js';
import { matched, noteExchange, stageOf } from './exchange.js';
import { pathOf } from './expression.js';
import {
  asOfRelation,
  intervalJoinRelation,
  intervalSemiJoinRelation,
  intervalTimes,
  joinRelation,
  placedTogether,
  semiJoinRelation,
} from './join-relation.js';
import { joinMethod, noteOptions, notePart } from './options.js';
import type { Interval, IntervalJoinNode, JoinKey, JoinKind } from './join-plan.js';
import type { PlanNode } from './plan.js';
import { partitionText } from './relation.js';
import { namedTime, ownTime } from './time-column.js';
import { userFunction, type PairFunction } from './user-function.js';
import { whyNoWatermark } from './why-no-watermark.js';
import { noteDuration } from './window.js';

/** What a join is declared with; all of it as a user wrote it. */
export interface JoinOptions {
  readonly on: object;
  readonly where?: unknown;
  readonly within?: unknown;
  readonly at?: unknown;
}

/** The node of a join, and the making of it. */
export interface Joined {
  readonly build: Build;
  readonly node: PlanNode;
}

export function joined(
  input: { readonly plan: PlanNode },
  kind: JoinKind,
  side: object,
  how: JoinOptions,
): Joined {
  const { build, as, ...sides } = namedSide(input, side, 'join()');
  noteOptions(how, joinMethod(kind), build);
  const on = joinKeys(build, sides.left, sides.right, how, as);
  const [left, right] = matched(build, sides.left, sides.right, { on, done: 'joined' });
  build.noteTaken([as]);
  const where = condition<boolean>(build, how, `the condition of the join with "${as}"`);
  const parts = { kind, left, right, as, on, where, place: build.place } as const;
  if (how?.within !== undefined) return { build, node: intervalJoin(build, parts, how.within) };
  return {
    build,
    node: { ...parts, op: 'join', relation: joinRelation(left.relation, right.relation, parts) },
  };
}

function intervalJoin(
  build: Build,
  parts: Omit<IntervalJoinNode, 'op' | 'relation' | 'within'>,
  asked: unknown,
): IntervalJoinNode {
  const { kind, left, right, as } = parts;
  const within = interval(build, { left, right }, asked, `the join with "${as}"`);
  const of = { left, right, within };
  if (kind === 'left' || kind === 'full') noteNeverAlone(build, kind, of, 'right');
  if (kind === 'right' || kind === 'full') noteNeverAlone(build, kind, of, 'left');
  const node = { ...parts, op: 'intervalJoin', within } as const;
  return { ...node, relation: intervalJoinRelation(left.relation, right.relation, node) };
}

interface Near {
  readonly left: PlanNode;
  readonly right: PlanNode;
  readonly within: Interval;
}

/** How near each other's the times of rows that match are, and where these are. */
function interval(
  build: Build,
  { left, right }: Pick<Near, 'left' | 'right'>,
  asked: unknown,
  of: string,
): Interval {
  const given = (asked ?? {}) as { [option in 'before' | 'after' | 'left' | 'right']?: unknown };
  notePart(given, ['before', 'after', 'left', 'right'], `\`within\` of ${of}`, build);
  const ms = (option: 'before' | 'after'): number => {
    const duration = durationMs(given[option]);
    if (duration === null) noteDuration(given[option], `\`within.${option}\` of ${of}`, build);
    return duration ?? 0;
  };
  const time = (side: 'left' | 'right', node: PlanNode): string =>
    (given[side] === undefined
      ? ownTime(node, `\`within\` of the ${side} side`, build, side)
      : namedTime(node, given[side], 'join within', build)) ?? '';
  return {
    beforeMs: ms('before'),
    afterMs: ms('after'),
    left: time('left', left),
    right: time('right', right),
  };
}

/** Notes that nothing says when a row can have no match of that side any more. */
function noteNeverAlone(
  build: Build,
  kind: JoinKind | 'anti',
  { left, right, within }: Near,
  side: 'left' | 'right',
): void {
  const times = intervalTimes(left.relation, right.relation, within);
  if (times[side] !== null || within[side] === '') return;
  const { because, remedy } = whyNoWatermark(side === 'left' ? left : right);
  build.note({
    code: 'needs-watermark',
    what: `${kind === 'anti' ? 'An' : 'A'} ${kind} join within a time shows rows alone that can have no match any more, and nothing ever says so of the ${side} side.`,
    evidence: { because },
    remedy,
    place: build.place,
  });
}

/** The one side that a join names. */
function namedSide(input: { readonly plan: PlanNode }, side: object, asked: string) {
  const sides = Object.entries(side ?? {});
  const [as, other] = sides[0] ?? ['', null];
  const build = new Build(input, other as object | null);
  if (sides.length !== 1)
    build.note({
      code: 'join-sides',
      what: `A join names one side, not ${sides.length}.`,
      evidence: { sides: sides.map(([name]) => name).join(', ') || '(none)' },
      remedy: 'Write .join({ airport: airports }, …), and join again for another side.',
      place: build.place,
    });
  return { build, left: input.plan, right: build.planOf(other, asked), as };
}

export function joinedAsOf(
  input: { readonly plan: PlanNode },
  kind: 'inner' | 'left',
  side: object,
  how: JoinOptions,
): Joined {
  const { build, left, right, as } = namedSide(input, side, 'joinAsOf()');
  noteOptions(how, kind === 'left' ? 'leftJoinAsOf' : 'joinAsOf', build);
  const on = joinKeys(build, left, right, how, as);
  if (on.length > 0)
    noteExchange(
      build,
      placedTogether(left.relation, right.relation, on) && stageOf(left) === stageOf(right),
      'joined',
      { left: partitionText(left), [as]: partitionText(right), on: onText(on, as) },
    );
  build.noteTaken([as]);
  const table = right.op === 'source' && right.source.kind === 'table' ? right.source : null;
  if (table?.eventTime == null)
    build.note({
      code: 'no-versions',
      what: `joinAsOf() asks what "${as}" was at a time, and it is not a table that says since when its records hold.`,
      evidence: {
        [as]:
          right.op === 'source' ? `the ${right.source.kind} "${right.source.name}"` : `made by ${right.op}()`,
      },
      remedy: `Give a table itself that has an event time: table('…', { key: '…', eventTime: '…' }).`,
      place: build.place,
    });
  else if (
    table.key.some((name) => !on.some((pair) => pair.right === name)) ||
    on.length !== table.key.length
  )
    build.note({
      code: 'join-keys',
      what: `joinAsOf() finds one version for each row, by the key of the table "${table.name}".`,
      evidence: { key: table.key.join(', '), on: on.map((pair) => pair.right).join(', ') || '(none)' },
      remedy: `Name all columns of its key in \`on\`, and no others.`,
      place: build.place,
    });
  const at =
    (how?.at === undefined
      ? ownTime(left, 'joinAsOf()', build, 'at')
      : namedTime(left, how.at, 'join as of', build)) ?? '';
  const since = table?.eventTime ?? '';
  const node = { op: 'joinAsOf', kind, left, right, as, on, at, since, place: build.place } as const;
  return { build, node: { ...node, relation: asOfRelation(left.relation, right, node) } };
}

export function semiJoined(
  input: { readonly plan: PlanNode },
  kind: 'semi' | 'anti',
  other: unknown,
  how: JoinOptions,
): Joined {
  const build = new Build(input, other as object | null);
  const asked = build.planOf(other, `${kind}Join()`);
  noteOptions(how, `${kind}Join`, build);
  const on = joinKeys(build, input.plan, asked, how, 'other');
  const [left, right] = matched(build, input.plan, asked, { on, done: 'joined' });
  const where = condition(build, how, `the condition of ${kind}Join()`) as PairFunction | null;
  const parts = { kind, left, right, on, where, place: build.place } as const;
  if (how?.within !== undefined) {
    const within = interval(build, { left, right }, how.within, `${kind}Join()`);
    if (kind === 'anti') noteNeverAlone(build, kind, { left, right, within }, 'right');
    const relation = intervalSemiJoinRelation(left.relation, right.relation, { within });
    return { build, node: { ...parts, op: 'intervalSemiJoin', within, relation } };
  }
  const relation = semiJoinRelation(left.relation, right.relation, { kind, on });
  return { build, node: { ...parts, op: 'semiJoin', relation } };
}

function condition<R>(build: Build, how: JoinOptions, name: string) {
  if (how?.where === undefined) return null;
  build.check(how.where, name);
  return userFunction<R>(how.where as (row: any) => R);
}

const onText = (on: readonly JoinKey[], as: string): string =>
  on.map((pair) => `${pair.left} = ${as}.${pair.right}`).join(', ');

/** The columns that must be equal. */
function joinKeys(
  build: Build,
  left: PlanNode,
  right: PlanNode,
  how: JoinOptions,
  as: string,
): readonly JoinKey[] {
  const on = Object.entries(how?.on ?? {}).map(([leftPath, rightPath]) => ({
    left: leftPath,
    right: String(rightPath),
  }));
  if (on.length === 0)
    build.note({
      code: 'join-keys',
      what: `The join with "${as}" names no columns that must be equal.`,
      remedy: `Write { on: { left: 'right' } } with a column of each side.`,
      place: build.place,
    });
  for (const pair of on) checkPair(build, left, right, pair);
  return on;
}

function checkPair(build: Build, left: PlanNode, right: PlanNode, pair: JoinKey): void {
  const problems = build.problems.length;
  const leftColumn = pathOf(left.relation, pair.left, { purpose: 'join by', ...build });
  const rightColumn = pathOf(right.relation, pair.right, {
    purpose: 'join by, on the joined side',
    ...build,
  });
  if (build.problems.length > problems) return;
  const unequal = kindOf(leftColumn.type) !== kindOf(rightColumn.type);
  if (isScalar(leftColumn.type) && isScalar(rightColumn.type) && !unequal) return;
  build.note({
    code: 'join-types',
    what: unequal
      ? `"${pair.left}" and "${pair.right}" are joined and hold different kinds of values: they are never equal.`
      : `"${pair.left}" is joined and does not hold text, numbers or booleans.`,
    evidence: {
      [`left ${pair.left}`]: typeText(leftColumn.type),
      [`right ${pair.right}`]: typeText(rightColumn.type),
    },
    remedy: 'Join by columns of one kind; select computed(schema, fn) first to make one of the other.',
    place: build.place,
  });
}
