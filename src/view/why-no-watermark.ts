import { freezing, tightest } from './freezing.js';
import { onText } from './join-sides.js';
import { inputsOf } from './plan-nodes.js';
import type { JoinNode, SemiJoinNode } from './join-plan.js';
import type { PlanNode } from './plan.js';
import type { SourceDeclaration } from './declarations.js';
import { columnNames } from './relation.js';

/** Why nothing says that rows can no longer change, and what to do about it. */
export interface Blame {
  readonly because: string;
  readonly remedy: string;
}

/** The input that is to blame for a node's rows having no column with a watermark. */
export function whyNoWatermark(node: PlanNode): Blame {
  if (node.op === 'source') return ofSource(node.source);
  const without = inputsOf(node).find(({ relation }) => freezing(relation).length === 0);
  const known = inputsOf(node)
    .flatMap(({ relation }) => freezing(relation))
    .map(({ column }) => column);
  if (known.length === 0) return whyNoWatermark(without!);
  const { watermarks } = node.relation;
  if (watermarks.length > 0)
    return {
      because: `what says when these rows were may be null: ${watermarks.map(({ column }) => column).join(', ')}`,
      remedy: 'Join so that one side is always there, by join() or leftJoin().',
    };
  switch (node.op) {
    case 'join':
    case 'semiJoin':
      return ofJoin(node, without);
    case 'flatMap':
      return {
        because: `flatMap() makes new rows: nothing says that what they call ${known.join(' or ')} is the time of the row they were made of`,
        remedy: `Make the elements of an array rows by unnest(), which keeps ${known.join(', ')}; or act on time first, and let flatMap() come behind it.`,
      };
    case 'union':
      return whyNoWatermark(without!);
    case 'session':
    case 'sliding':
      return {
        because: `its ${node.op === 'session' ? 'sessions' : 'windows'} are of ${node.column}, and not of ${known.join(' or ')}`,
        remedy: `Name it: { on: '${known[0]}' }.`,
      };
    case 'during':
      return {
        because: 'last(), during() and `retain` take rows of any age away again',
        remedy: 'Finish before rows are taken away: .final().last(…).',
      };
    case 'aggregate':
    case 'evolve':
      return {
        because: `it is grouped by ${node.by.map(({ name }) => name).join(', ') || 'nothing'}, and not by ${known.join(' or ')}`,
        remedy: `Group by windows: .window(tumbling('1h')).groupBy(…).`,
      };
    default:
      return {
        because: `${node.op}() leaves no column of ${known.join(', ')}; there are ${columnNames(node)}`,
        remedy: `Keep one of them: ${known.join(', ')}.`,
      };
  }
}

function ofJoin(node: JoinNode | SemiJoinNode, without: PlanNode | undefined): Blame {
  const { left, right, on } = node;
  if (without !== undefined)
    return {
      because: `${nameOf(without)} is joined, and changes rows of any age`,
      remedy: inputsOf(node).some(({ op }) => op === 'final')
        ? 'Do what acts on time before the join: behind it nothing is final, whatever is before it.'
        : 'Group by windows and finish before the join: .window(…).groupBy(…).aggregate(…).final().join(…).',
    };
  const [ofLeft, ofRight] = [left, right].map(({ relation }) => tightest(freezing(relation))!.column);
  return {
    because: `the sides are joined by ${onText(on)}, and by no column that has a watermark on both: ${ofLeft} of the left, ${ofRight} of the right`,
    remedy: `Join by windows, or by what else they have: on: { …, ${ofLeft}: '${ofRight}' }, or \`within\` a time.`,
  };
}

function ofSource(source: SourceDeclaration): Blame {
  const name = `${source.kind} "${source.name}"`;
  switch (source.kind) {
    case 'stream':
      return source.eventTime === null
        ? {
            because: `the ${name} does not say which column holds the time of an event`,
            remedy: `Declare it: stream('${source.name}', { eventTime: '…', lateness: '…' }).`,
          }
        : {
            because: `the ${name} declares no lateness, so that an event of any age may still come`,
            remedy: `Declare how late one may be: stream('${source.name}', { lateness: '1h' }).`,
          };
    case 'table':
      return {
        because: `the ${name} may change a row at any time`,
        remedy: 'Finish what is made of a stream before a table is joined to it.',
      };
    case 'view': {
      const { relation } = source.plan;
      return relation.lates && freezing(relation).length > 0
        ? {
            because: `the ${name} shows late events as any other`,
            remedy: 'Read the stream itself, or group by windows in that view.',
          }
        : whyNoWatermark(source.plan);
    }
  }
}

const nameOf = (node: PlanNode): string =>
  node.op === 'source' ? `the ${node.source.kind} "${node.source.name}"` : `what is made by ${node.op}()`;
