import type { NodeKind, OperatorNode } from './node-kind.js';
import { aggregate } from './nodes/aggregate.js';
import { dedupe } from './nodes/dedupe.js';
import { distinct } from './nodes/distinct.js';
import { evolve } from './nodes/evolve.js';
import { except } from './nodes/except.js';
import { exchange } from './nodes/exchange.js';
import { during } from './nodes/during.js';
import { final } from './nodes/final.js';
import { flatMap } from './nodes/flat-map.js';
import { inlined } from './nodes/inlined.js';
import { intersect } from './nodes/intersect.js';
import { intervalJoin } from './nodes/interval-join.js';
import { joinAsOf } from './nodes/join-as-of.js';
import { intervalSemiJoin } from './nodes/interval-semi-join.js';
import { join } from './nodes/join.js';
import { of } from './nodes/of.js';
import { over } from './nodes/over.js';
import { parts } from './nodes/parts.js';
import { select } from './nodes/select.js';
import { top } from './nodes/top.js';
import { semiJoin } from './nodes/semi-join.js';
import { session } from './nodes/session.js';
import { sliding } from './nodes/sliding.js';
import { union } from './nodes/union.js';
import { unnest } from './nodes/unnest.js';
import { where } from './nodes/where.js';
import { window } from './nodes/window.js';

/** Every operator a plan can have. */
const nodeKinds: { readonly [Op in OperatorNode['op']]: NodeKind<Extract<OperatorNode, { op: Op }>> } = {
  where,
  of,
  select,
  flatMap,
  unnest,
  union,
  except,
  intersect,
  distinct,
  aggregate,
  evolve,
  join,
  top,
  dedupe,
  over,
  semiJoin,
  intervalJoin,
  intervalSemiJoin,
  joinAsOf,
  window,
  session,
  sliding,
  final,
  during,
  exchange,
  parts,
  inlined,
};

export const kindOf = <N extends OperatorNode>(node: N): NodeKind<N> =>
  nodeKinds[node.op] as unknown as NodeKind<N>;
