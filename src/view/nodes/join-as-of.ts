import { DueTimes } from '../../circuit/due-times.js';
import { generatedExtension, generatedRead } from '../../circuit/generated-row.js';
import { AsOfJoin } from '../../circuit/operators/as-of-join.js';
import { TimedRows } from '../../circuit/timed-rows.js';
import { Versions } from '../../circuit/versions.js';
import type { Row } from '../../zset/value.js';
import { asOfTimes } from '../join-relation.js';
import { joinedBy, keyTexts, onText, pagedWorks } from '../join-sides.js';
import type { NodeKind } from '../node-kind.js';
import { both, inside, without } from '../paths.js';
import type { AsOfJoinNode } from '../join-plan.js';
import type { SourceNode } from '../plan.js';

export const joinAsOf: NodeKind<AsOfJoinNode> = {
  inputs: (node) => [node.left, node.right],
  reads: ({ as, on, at, since }, needed) => [
    both(without(needed, as), new Set([...on.map((pair) => pair.left), at])),
    both(inside(needed, as), new Set([...on.map((pair) => pair.right), since])),
  ],
  describe: ({ kind, as, on, at }) => ({ kind, as, on: joinedBy(on), at }),
  explain({ kind, left, right, as, on, at, since }) {
    const times = asOfTimes(left.relation, right, at);
    return {
      what: `${kind === 'left' ? 'left ' : ''}join ${as} on ${onText(on)} as of ${at}`,
      cost: 'O(|Δ| · matches)',
      growth:
        times.left !== null && times.right.length > 0
          ? `freed by ${at} and ${as}.${since}`
          : 'grows for ever',
    };
  },
  compile(node, compiler) {
    const { left, right, at, as, kind, since } = node;
    const times = asOfTimes(left.relation, right, at);
    const inputs = [
      compiler.onTime(left, times.left === null ? [] : [times.left]),
      compiler.recordsOf((right as SourceNode).source),
    ];
    const time = { left: times.left?.time ?? [], right: times.right };
    for (const part of [time.left, time.right]) compiler.needsTime(part);
    const names = left.relation.columns.map(({ name }) => name);
    const pairOf = generatedExtension(names, as, names.length);
    const keyOf = keyTexts(node);
    const timeOf = generatedRead(at) as (row: Row) => string;
    // What no watermark ever passes is kept for ever.
    const rowsEnd = time.right.length > 0;
    const versionsEnd = rowsEnd && time.left.length > 0;
    const operator = new AsOfJoin(
      new TimedRows(
        compiler.ordered('left'),
        timeOf,
        rowsEnd ? new DueTimes(compiler.ordered('left.due')) : null,
      ),
      new Versions(
        compiler.ordered('versions'),
        versionsEnd ? new DueTimes(compiler.ordered('versions.due')) : null,
      ),
      {
        keyOf: { left: (row) => (timeOf(row) === null ? null : keyOf.left(row)), right: keyOf.right },
        sinceOf: generatedRead(since) as (row: Row) => string,
        pairOf,
        aloneAs: kind === 'left' ? (row) => pairOf(row, null) : null,
        time,
      },
      pagedWorks(compiler),
    );
    return compiler.add('join as of', operator, inputs);
  },
};
