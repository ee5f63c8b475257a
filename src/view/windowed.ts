import { Build } from './build.js';
import type { Collection } from './collection.js';
import type { CheckedGroup, GroupColumns, GroupOf } from './collection-types.js';
import { groupColumns } from './group-nodes.js';
import { type GroupWindow, inGroupWindows } from './group-windows.js';
import { type Give, Grouping } from './grouping.js';
import type { PlanNode } from './plan.js';
import { attachProblems, problemsOf, type Problem } from './problem.js';
import type { Flat } from './row-type.js';
import { WINDOW_COLUMNS } from './time-relation.js';
import type { AssignedWindow, WindowColumns } from './window.js';

/** What `window` gives: sessions and sliding windows are within groups, so that rows have none before they are grouped. */
export type InWindows<Row, W> =
  W extends AssignedWindow<infer Identifies>
    ? Windowed<Flat<Row & WindowColumns>, Identifies>
    : WindowedInGroups<Row>;

/** Rows in windows, waiting to be grouped. */
export class Windowed<in out Row, out Identifies extends string> {
  declare readonly identifies: Identifies;
  readonly #rows: Collection<Row, any>;
  readonly #identify: readonly string[];
  readonly #give: Give;

  constructor(rows: Collection<Row, any>, identify: readonly string[], give: Give) {
    this.#rows = rows;
    this.#identify = identify;
    this.#give = give;
    attachProblems(this, problemsOf(rows));
  }

  /** Groups by these columns and by the window: `windowStart` and `windowEnd` follow them. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(
    ...columns: CheckedGroup<Row, By>
  ): Grouping<Row, Flat<GroupOf<Row, By> & WindowColumns>, (keyof GroupOf<Row, By> & string) | Identifies> {
    const build = new Build(this.#rows);
    const by = groupColumns(build, [...(columns as readonly unknown[]), ...WINDOW_COLUMNS]);
    const names = by.slice(0, -WINDOW_COLUMNS.length).map(({ name }) => name);
    const key = [...names, ...this.#identify];
    return new Grouping({ input: this.#rows.plan, by, place: build.place, key }, build.problems, this.#give);
  }

  /** The rows themselves, once for each of their windows: to be joined or looked at by window. */
  rows(): Collection<Row, null> {
    return this.#rows as Collection<Row, any>;
  }
}

/** Rows that are to be put into windows that follow from the rows of their group, waiting to be grouped. */
export class WindowedInGroups<in out Row> {
  declare readonly row: (row: Row) => Row;
  readonly #input: PlanNode;
  readonly #window: GroupWindow;
  readonly #give: Give;

  constructor(input: PlanNode, window: GroupWindow, problems: readonly Problem[], give: Give) {
    this.#input = input;
    this.#window = window;
    this.#give = give;
    attachProblems(this, problems);
  }

  /** Groups by these columns and, within each such group, by window: `windowStart` and `windowEnd` follow them. */
  groupBy<const By extends readonly GroupColumns<Row>[]>(
    ...columns: CheckedGroup<Row, By>
  ): Grouping<
    Row,
    Flat<GroupOf<Row, By> & WindowColumns>,
    (keyof GroupOf<Row, By> & string) | 'windowStart'
  > {
    const build = new Build({ plan: this.#input }, this);
    const by = groupColumns(build, columns as readonly unknown[]);
    return new Grouping(inGroupWindows(this.#input, this.#window, by, build), build.problems, this.#give);
  }
}
