import type { z } from 'zod';
import { freezeRow, shortText } from '../circuit/row-function.js';
import type { Row } from '../zset/value.js';
import type { Build } from './build.js';
import { typeText } from './column.js';
import type { Groups } from './group-nodes.js';
import type { Give } from './grouping.js';
import type { Collection } from './collection.js';
import { rowCheckOf } from './computed-value.js';
import type { HandlersOf, StateInput } from './event-types.js';
import { noteOptions } from './options.js';
import type { EventHandlers, EvolveNode, EventType } from './plan.js';
import { aggregateRelation, columnNames, partitionText, type Relation } from './relation.js';
import type { Flat, RowOfSchema } from './row-type.js';
import { userFunction, type UserFunction } from './user-function.js';
import { typesOf, variantsOf } from './variants.js';
import type { NotAsync, ViewTypeError } from './view-type-error.js';

/** UTF-8 bytes of the JSON of one group's state. */
const STATE_BYTES_MAX_DEFAULT = 256 * 1024;
const STATE_BYTES_MOST = 16 * 1024 * 1024;

export interface EvolveOptions {
  /** A group whose state would have more bytes of JSON is parked; 262,144, if not said. */
  readonly stateBytesMax?: number;
}

interface Folded {
  readonly build: Build;
  readonly groups: Groups;
  readonly state: z.core.$ZodType;
  readonly initial: unknown;
  readonly options: EvolveOptions;
}

/** A state for each group, waiting for the functions that fold events into it. */
export class Evolving<
  in out Event,
  in out Group,
  in out Tag extends string | null,
  in out S extends z.core.$ZodType,
> {
  declare readonly folds: (event: Event, group: Group, schema: S) => [Event, Group, Tag, S];
  readonly #folded: Folded;
  readonly #give: Give;

  constructor(folded: Folded, give: Give) {
    this.#folded = folded;
    this.#give = give;
  }

  /** A function for each type of event: the state before, and the event; it gives the state after, or null for none. Other events change nothing. */
  on<Types extends object>(
    handlers: HandlersOf<Event, Tag, S, Types>,
  ): Collection<Flat<Group & RowOfSchema<S>>, keyof Group & string> {
    const { build, groups } = this.#folded;
    const variants = variantsOf(groups.input);
    const entries = Object.entries((handlers ?? {}) as Record<string, unknown>);
    if (variants === null)
      build.note({
        code: 'no-event-types',
        what: 'evolve().on() tells events by their types, and these rows are not events of several types.',
        evidence: { columns: columnNames(groups.input) },
        remedy:
          'Declare the stream with z.discriminatedUnion(…) and group its events as they come, or write .with((state, event) => …).',
        place: build.place,
      });
    if (entries.length === 0)
      build.note({
        code: 'no-handlers',
        what: 'evolve().on() names no type of event.',
        remedy: 'Name at least one: { OrderPlaced: (state, event) => … }.',
        place: build.place,
      });
    const types = variants === null ? [] : typesOf(variants);
    return this.#evolved({
      kind: 'types',
      discriminator: variants?.discriminator ?? '',
      of: entries.map(([name, handler]) => {
        build.check(handler, `the handler of "${name}"`);
        const type = types.find((candidate) => String(candidate) === name);
        if (type === undefined && variants !== null) noteUnknownType(build, name, types);
        return { type: type ?? name, fn: foldOf(handler) };
      }),
    });
  }

  /** One function for all events: the state before, and the event; it gives the state after, or null for none. */
  with(
    fold: (state: RowOfSchema<S>, event: Event) => StateInput<S> | null | ViewTypeError<NotAsync>,
  ): Collection<Flat<Group & RowOfSchema<S>>, keyof Group & string> {
    this.#folded.build.check(fold, 'the function of evolve().with()');
    return this.#evolved({ kind: 'all', fn: foldOf(fold) });
  }

  #evolved(handlers: EventHandlers): Collection<any, any> {
    const { build, groups, state, options } = this.#folded;
    const { input, by } = groups;
    noteOptions(options, 'evolve', build);
    const columns = build.rowColumns(state, 'evolve()');
    const given = aggregateRelation(input.relation, by, columns);
    this.#noteGroup(columns.map(({ name }) => name));
    this.#noteOrder(given);
    const stateBytesMax = options.stateBytesMax ?? STATE_BYTES_MAX_DEFAULT;
    if (!(Number.isInteger(stateBytesMax) && stateBytesMax >= 2 && stateBytesMax <= STATE_BYTES_MOST))
      build.note({
        code: 'bad-option',
        what: 'evolve() has an impossible `stateBytesMax`.',
        evidence: { stateBytesMax: String(stateBytesMax) },
        remedy: `Give a whole number up to ${STATE_BYTES_MOST}.`,
        place: build.place,
      });
    const node: EvolveNode = {
      op: 'evolve',
      input,
      by,
      state,
      columns,
      initial: this.#initial(columns),
      handlers,
      stateBytesMax,
      relation: given,
      place: build.place,
    };
    return this.#give(build, node);
  }

  #initial(columns: EvolveNode['columns']): Row {
    const { build, state, initial } = this.#folded;
    if (columns.length === 0) return {};
    try {
      return freezeRow(rowCheckOf(state, columns)(initial));
    } catch (thrown) {
      build.note({
        code: 'bad-initial-state',
        what: 'The initial state of evolve() is not what its schema takes.',
        evidence: { initial: shortText(initial), problem: (thrown as Error).message },
        remedy: 'Give a state that the schema takes: every group begins with it.',
        place: build.place,
      });
      return {};
    }
  }

  #noteGroup(names: readonly string[]): void {
    const { build, groups } = this.#folded;
    const { by } = groups;
    for (const { name } of by)
      if (names.includes(name))
        build.note({
          code: 'column-twice',
          what: `The state has a column "${name}", as a column that is grouped by is named.`,
          evidence: { 'grouped by': by.map((column) => column.name).join(', '), state: names.join(', ') },
          remedy: 'Leave it out of the state: the row has it from its group. Or name one of them otherwise.',
          place: build.place,
        });
  }

  /** Events are folded in the order of the log: they must have one, and all of a group must lie in one partition. */
  #noteOrder(given: Relation): void {
    const { build, groups } = this.#folded;
    const { input, by } = groups;
    if (input.relation.log === null || !input.relation.appendOnly)
      build.note({
        code: 'no-log-order',
        what: 'evolve() folds events in the order of their log, and these rows do not come straight from one stream.',
        evidence: { op: input.op, columns: columnNames(input) },
        remedy:
          'Group the events of a stream, after where(), of(), select() or flatMap() at most; join or aggregate what evolve() gives.',
        place: build.place,
      });
    else if (given.partitionedBy === null)
      build.note({
        code: 'evolve-partitions',
        what: 'evolve() folds the events of a group in the order of the log, and events of one group may lie in different partitions.',
        evidence: {
          events: partitionText(input),
          'grouped by':
            by.map(({ name, value }) => `${name}: ${typeText(value.column.type)}`).join(', ') ||
            '(nothing: all rows)',
        },
        remedy: `Partition the stream by columns of the group (\`partitionBy\`), declare it with one partition, or group by ${input.relation.partitionedBy?.join(', ') ?? 'what it is partitioned by'} as well.`,
        place: build.place,
      });
  }
}

function noteUnknownType(build: Build, name: string, types: readonly EventType[]): void {
  build.note({
    code: 'unknown-type',
    what: `There are no events of the type "${name}".`,
    evidence: { types: types.map(String).join(', ') },
    remedy: 'Name one of these types, or add a variant to the schema of the stream.',
    place: build.place,
  });
}

/** Functions of two arguments, called with both in one: what calls them knows only rows. */
const foldOf = (fold: unknown): UserFunction => {
  const call = fold as (state: unknown, event: unknown) => unknown;
  return { ...userFunction(call as never), call: ({ state, event }) => call(state, event) };
};
