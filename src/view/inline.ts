import type { SourceDeclaration, ViewDeclaration } from './declarations.js';
import { exchanged, EXCHANGES_MAX, inOneStage, isPlacedBy, stageOf } from './exchange.js';
import { inputsOf, sourcesOf, withInputs } from './plan-nodes.js';
import type { InlinedNode, PlanNode } from './plan.js';
import { tornIn } from './torn.js';

/**
 * A view that reaches one stream by two paths, of which views are a part, would meet rows of different ages: each of these
 * views is as far as its own ticks are, and none waits for another. The same goes for one that brings together rows of several
 * partitions of a view, each of which is as far as the ticks of its own task are. So what these views compute is computed in the
 * view itself: there all that goes back to a stream is read to a common frontier.
 */

/** The plan in which views that meet something else behind a stream are replaced by what they are made of. */
export function inlined(plan: PlanNode, place: string | null): PlanNode | Diamond {
  for (let replaced = plan; ;) {
    const { views, paths } = meeting(replaced);
    if (paths === null) return replaced;
    const made = replace(replaced, { views, why: 'met', place });
    if (typeof made === 'string') return { paths, because: made };
    replaced = made;
  }
}

/** A view's plan in which views are replaced so that rows of several of their partitions meet in it when they are of one moment. */
export function madeWhole(
  plan: PlanNode,
  partitions: number,
  place: string | null,
): PlanNode | { readonly torn: ReadonlySet<string>; readonly because: string } {
  for (let replaced = plan; ;) {
    const torn = tornIn({ plan: replaced, partitions });
    if (torn.size === 0) return replaced;
    const made = replace(replaced, { views: torn, why: 'torn', place });
    if (typeof made === 'string') return { torn, because: made };
    replaced = made;
  }
}

/** A stream or table that is reached by several paths, and why what the views on them compute cannot be made in one. */
export interface Diamond {
  readonly paths: {
    readonly record: string;
    readonly one: readonly string[];
    readonly other: readonly string[];
  };
  readonly because: string;
}

const AS_OF = 'a table that is asked what it was at a time is read where its records lie';
const STAGES = `their rows would be moved between partitions more than ${EXCHANGES_MAX} times`;

/** The names of the views a plan reads that share a stream or a table with something else it reads, and the first such two. */
function meeting(plan: PlanNode): { views: ReadonlySet<string>; paths: Diamond['paths'] | null } {
  const first = new Map<string, { source: SourceDeclaration; path: readonly string[] }>();
  const views = new Set<string>();
  let paths: Diamond['paths'] | null = null;
  for (const source of sourcesOf(plan))
    for (const [record, path] of pathsToRecords(source)) {
      const known = first.get(record);
      if (known === undefined) first.set(record, { source, path });
      else {
        paths ??= { record, one: known.path, other: path };
        for (const one of [known.source, source]) if (one.kind === 'view') views.add(one.name);
      }
    }
  return { views, paths };
}

const known = new WeakMap<ViewDeclaration, ReadonlyMap<string, readonly string[]>>();

/** The streams and tables behind a source, each with the names on the way. */
function pathsToRecords(source: SourceDeclaration): ReadonlyMap<string, readonly string[]> {
  if (source.kind !== 'view') return new Map([[`${source.kind} "${source.name}"`, [source.name]]]);
  let paths = known.get(source);
  if (paths === undefined) {
    const found = sourcesOf(source.plan).flatMap((input) => [...pathsToRecords(input)]);
    paths = new Map(found.map(([record, path]) => [record, [...path, source.name]]));
    known.set(source, paths);
  }
  return paths;
}

interface Replaced {
  readonly views: ReadonlySet<string>;
  readonly why: InlinedNode['why'];
  readonly place: string | null;
}

/**
 * All inputs of a node have been moved equally often: what meets a view that moves rows is moved as well, to where it is.
 * Or why it cannot be.
 */
function replace(plan: PlanNode, { views, why, place: madeAt }: Replaced): PlanNode | string {
  const made = new Map<PlanNode, PlanNode>();
  let movesRecords = false;
  const visit = (node: PlanNode): PlanNode => {
    let replaced = made.get(node);
    if (replaced === undefined) made.set(node, (replaced = make(node)));
    return replaced;
  };
  const make = (node: PlanNode): PlanNode => {
    if (node.op === 'source') {
      const { source, relation, place } = node;
      if (source.kind !== 'view' || !views.has(source.name)) return node;
      const { name: view, version } = source;
      return Object.freeze({ op: 'inlined', view, version, why, input: kept(source), relation, place });
    }
    const before = inputsOf(node);
    const inputs = before.map(visit);
    if (inputs.every((input, index) => input === before[index])) return node;
    // It was moved to be in one stage with others; where they are now is seen when they meet.
    if (node.op === 'exchange' && isPlacedBy(node.input.relation, node.by, node.relation.partitions))
      return inputs[0]!;
    const staged = inOneStage(inputs, { place: madeAt });
    if (node.op === 'joinAsOf' && staged[1] !== inputs[1]) movesRecords = true;
    return Object.freeze(withInputs(node, staged));
  };
  const replaced = visit(plan);
  if (movesRecords) return AS_OF;
  return stageOf(replaced) > EXCHANGES_MAX ? STAGES : replaced;
}

/**
 * A view's rows, in as many partitions as it says. One that keeps them in a single partition has no exchange for that: its last stage
 * is one task, to whatever number its plan moves rows. In another view that stage has as many tasks as need be.
 */
const kept = ({ plan, partitions, place }: ViewDeclaration): PlanNode =>
  partitions === 1 && plan.relation.partitions > 1 ? exchanged(plan, [], 1, place) : plan;
