import type { Row } from '../zset/value.js';
import { DueTimes } from '../circuit/due-times.js';
import { FrozenGroups } from '../circuit/frozen-groups.js';
import { generatedRead } from '../circuit/generated-row.js';
import type { Ordered } from '../circuit/operator.js';
import type { PlanCompiler } from './compile-plan.js';
import { freezingAmong, tightest } from './freezing.js';
import type { Relation } from './relation.js';

/** What frees the groups that rows are put in by these columns, whose state is `members`; nothing where none of them has a watermark. */
export function frozenGroups(
  relation: Relation,
  per: readonly string[],
  { members, compiler }: { members: readonly Ordered[]; compiler: PlanCompiler },
): { frozen?: FrozenGroups; frozenAt?: (row: Row) => string } {
  const frozenBy = tightest(freezingAmong(relation, per));
  if (frozenBy === null) return {};
  const { column, time } = frozenBy;
  compiler.needsTime(time);
  const due = new DueTimes(compiler.ordered('due'));
  const read = generatedRead(column);
  return { frozen: new FrozenGroups({ time, due, members }), frozenAt: (row) => read(row) as string };
}
