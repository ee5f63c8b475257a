import type { Collection } from './collection.js';
import { movesRows, takenWhenProcessed } from './stamp.js';
import { Build } from './build.js';
import { columnNameProblem } from './column-name.js';
import { isScalar, typeText, type Column } from './column.js';
import type { IndexDeclaration } from './declarations.js';
import { type Order, orderTerm, orderText, orderWords } from './order-terms.js';
import { lastOf } from './during.js';
import { exchanged, EXCHANGES_MAX, stageOf } from './exchange.js';
import { Grouping } from './grouping.js';
import { inlined, madeWhole } from './inline.js';
import type { PlanNode } from './plan.js';
import { OptionReader } from './record-source.js';
import { columnNames, partitionText } from './relation.js';
import type { Names } from './stream.js';

/** One index: the words of `order=`. */
export type Index = Order;

const RETAIN_OPTIONS = { age: true, by: true } as const;

/** Words of the REST interface that a column of a view cannot be named. */
const RESERVED = [
  'select',
  'order',
  'limit',
  'offset',
  'cursor',
  'or',
  'and',
  'not',
  'atLeast',
  'count',
  'format',
  'after',
];

/** Reads the options of a view, and notes what is wrong with them. */
export class ViewOptionReader extends OptionReader {
  plan(from: Collection<any, any> | undefined): PlanNode {
    if (from?.plan?.relation) return from.plan;
    if (from instanceof Grouping) {
      this.note(
        'not-a-collection',
        'is made from groups, and does not say what of each.',
        { from: 'groupBy(…)' },
        'Add .aggregate({ … }) to the groupBy, for example .aggregate({ rows: count() }).',
      );
      return NOTHING;
    }
    const given = from === undefined ? 'undefined (a module that imports itself in a circle?)' : typeof from;
    this.note(
      'not-a-collection',
      'has nothing to be made from.',
      { from: given },
      'Give a stream, a table, a view, or what is made of them.',
    );
    return NOTHING;
  }

  /** The rows that the view keeps: those that are not too old, where it says when they are. */
  retained(plan: PlanNode, retain: unknown): PlanNode {
    if (retain === undefined || plan === NOTHING) return plan;
    const { age, by } =
      typeof retain === 'object' && retain !== null
        ? this.options(retain as { age?: unknown; by?: string }, RETAIN_OPTIONS)
        : { age: retain };
    const build = new Build({ plan });
    const named = by ?? plan.relation.columns.find(({ name }) => name === 'windowEnd')?.name;
    const node = lastOf(plan, { age, by: named }, '`retain`', build);
    this.problems.push(...build.problems);
    return Object.freeze({ ...node, place: this.place });
  }

  /** Views that would meet something else of another age are made in this one. */
  inlined(plan: PlanNode): PlanNode {
    const made = inlined(plan, this.place);
    if (!('because' in made)) return made;
    const { record, one, other } = made.paths;
    this.note(
      'diamond',
      `reaches the ${record} by two paths, so that rows of different ages would meet in it; and what the views on them compute cannot be made in it: ${made.because}.`,
      { one: one.join(' → '), other: other.join(' → ') },
      'Make it from the streams themselves, in one view, or from one of these inputs only.',
    );
    return plan;
  }

  /** Views of which it brings together rows of several partitions are made in this one, unless it says that it may be torn. */
  madeWhole(plan: PlanNode, partitions: number, mayTear: unknown): PlanNode {
    if (mayTear !== undefined && typeof mayTear !== 'boolean')
      this.note(
        'bad-option',
        'has an unknown `mayTear`.',
        { mayTear: JSON.stringify(mayTear) ?? typeof mayTear },
        'Write true or false.',
      );
    if (mayTear === true || plan === NOTHING || this.problems.length > 0) return plan;
    const made = madeWhole(plan, partitions, this.place);
    if (!('torn' in made)) return made;
    this.note(
      'torn',
      `brings together rows of several partitions of views, which are not of one moment, so that it would show half of an event for a while; and what these views compute cannot be made in it: ${made.because}.`,
      { views: [...made.torn].join(', ') },
      'Say `mayTear: true` if that does not matter, or make it from the streams themselves, in one view.',
    );
    return plan;
  }

  /**
   * What a task sent and lost is made again from the log, and is to be what the others have taken in (docs/exchange.md). Times that
   * the log does not tell would be others then.
   */
  noteProcessingMoved(plan: PlanNode): void {
    const streams = takenWhenProcessed({ plan });
    if (streams.length === 0 || !movesRows({ plan })) return;
    this.note(
      'processing-time-moved',
      `moves rows between partitions that hold processingTime(), which no replay gives again: what a crash loses on the way could not be made again as it was.`,
      { streams: streams.map(({ name }) => name).join(', ') },
      'Use entryTime(), or partition the streams by what the view groups and joins by (`partitionBy`), or declare them with one partition.',
    );
  }

  key(plan: PlanNode, named: Names | undefined): readonly string[] {
    const { columns, uniqueKey } = plan.relation;
    if (named === undefined) {
      if (uniqueKey !== null) this.#checkKey(columns, uniqueKey);
      else if (plan !== NOTHING)
        this.note(
          'no-key',
          'has no key: nothing is known to identify its rows.',
          { columns: columnNames(plan) },
          `Name the columns that do: key: ['…'].`,
        );
      return uniqueKey ?? [];
    }
    const key =
      typeof named === 'string' ? [named] : Array.isArray(named) ? named.map(String) : [String(named)];
    if (!this.#checkKey(columns, key)) return key;
    if (uniqueKey !== null && !uniqueKey.every((name) => key.includes(name)))
      this.#noteWeakKey(plan, key, uniqueKey);
    return key;
  }

  indexes(columns: readonly Column[], indexes: readonly Index[]): IndexDeclaration[] {
    if (!Array.isArray(indexes)) {
      this.note(
        'bad-index',
        'has `indexes` that are no list.',
        { indexes: JSON.stringify(indexes) ?? 'undefined' },
        `Write indexes: ['column.desc'].`,
      );
      return [];
    }
    const names = indexes.map(orderText);
    for (const name of new Set(names.filter((candidate, index) => names.indexOf(candidate) !== index)))
      this.note('bad-index', `declares the index "${name}" twice.`, {}, 'Remove one.');
    return names.map((name) => ({
      name,
      columns: orderWords(name).flatMap((term) => this.#indexTerm(columns, name, term)),
    }));
  }

  whole(option: string, value: number, least: number, most: number): number {
    if (!(Number.isInteger(value) && value >= least && value <= most))
      this.note(
        'bad-option',
        `has an impossible \`${option}\`.`,
        { [option]: String(value) },
        `Give a whole number from ${least} to ${most}.`,
      );
    return value;
  }

  noteColumns(columns: readonly Column[]): void {
    for (const { name } of columns) {
      const problem =
        columnNameProblem(name) ?? (RESERVED.includes(name) ? 'is a word of the REST interface' : null);
      if (problem !== null)
        this.note(
          'bad-name',
          `has a column "${name}", which ${problem}.`,
          { reserved: RESERVED.join(', ') },
          'Give the column another name, with select() if need be.',
        );
    }
  }

  /**
   * The rows where they are kept: those of one key lie in one partition. Where rows are moved anyway they are moved to as many
   * partitions as the view is to have.
   */
  placed(
    plan: PlanNode,
    key: readonly string[],
    asked: number | undefined,
  ): { plan: PlanNode; partitions: number } {
    const { partitions, partitionedBy } = plan.relation;
    const wanted = asked === undefined ? partitions : this.partitions(asked);
    const isPlaced =
      partitions === 1 || (partitionedBy !== null && partitionedBy.every((name) => key.includes(name)));
    const isCounted = wanted === partitions || (partitions > 1 && stageOf(plan) > 0);
    if ((isPlaced && isCounted) || plan === NOTHING || this.problems.length > 0)
      return { plan, partitions: wanted };
    if (stageOf(plan) < EXCHANGES_MAX)
      return { plan: exchanged(plan, key, wanted, this.place), partitions: wanted };
    this.note(
      'needs-exchange',
      `has rows of one key in several partitions, or in another number of them than it is to have, and within a view rows are moved between partitions ${EXCHANGES_MAX} times at the most.`,
      { key: key.join(', ') || '(none)', rows: partitionText(plan), partitions: String(wanted) },
      'Make a view of what comes before and read that with `mayTear: true`, or add the partitioning columns to `key`.',
    );
    return { plan, partitions: wanted };
  }

  #checkKey(columns: readonly Column[], key: readonly string[]): boolean {
    const before = this.problems.length;
    for (const name of key) {
      const column = columns.find((candidate) => candidate.name === name);
      if (!column)
        this.note(
          'unknown-column',
          `has no column "${name}" to be its key.`,
          { key: key.join(', '), columns: columns.map((one) => one.name).join(', ') },
          'Name columns of its rows.',
        );
      else if (!isScalar(column.type) && !isStandIn(column))
        this.note(
          'wrong-type',
          `has "${name}" in its key, which does not hold text, numbers or booleans.`,
          { [name]: typeText(column.type) },
          'Name a column that does.',
        );
    }
    return this.problems.length === before;
  }

  #noteWeakKey(plan: PlanNode, key: readonly string[], uniqueKey: readonly string[]): void {
    const grouped = groupedBy(plan);
    const missing = uniqueKey.filter((name) => !key.includes(name));
    const subject = this.subject;
    this.add({
      code: 'key-not-unique',
      what: `${subject} was not started: its key does not identify a row.`,
      evidence: { key: key.join(', '), [grouped ? 'grouped by' : 'rows differ by']: uniqueKey.join(', ') },
      consequence: `Rows of one ${key.join(' and ')} would replace one another.`,
      remedy: `Add ${missing.map((name) => `"${name}"`).join(', ')} to \`key\`${grouped ? `, or group by ${key.join(', ')} alone` : ''}.`,
      place: this.place,
    });
  }

  #indexTerm(columns: readonly Column[], index: string, text: string): IndexDeclaration['columns'] {
    const term = orderTerm(columns, text);
    if ('path' in term) return [term];
    const what = `has an index "${index}" on a column ${term.what}.`;
    this.note('bad-index', what, term.evidence, `Write 'column', 'column.desc', or several with commas.`);
    return [];
  }
}

const groupedBy = (plan: PlanNode): boolean =>
  plan.op === 'aggregate' ||
  ('input' in plan ? groupedBy(plan.input) : plan.op === 'join' ? groupedBy(plan.left) : false);

/** The column of a path that was wrong, and of which that was said. */
const isStandIn = (column: Column): boolean =>
  column.type.kind === 'json' && column.type.nullable && column.schema._zod.def.type === 'unknown';

/** Stands for the plan of a view that has none, so that the rest of it can be checked. */
const NOTHING: PlanNode = Object.freeze({
  op: 'union',
  inputs: [],
  place: null,
  relation: {
    columns: [],
    uniqueKey: null,
    appendOnly: true,
    log: null,
    partitions: 1,
    partitionedBy: [],
    watermarks: [],
    lates: false,
  },
});
