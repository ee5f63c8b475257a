import type { z } from 'zod';
import type { Aggregate } from './aggregates.js';
import { Build } from './build.js';
import type { Collection } from './collection.js';
import type { StateInput, StateOfGroup } from './event-types.js';
import { Evolving, type EvolveOptions } from './evolve.js';
import { aggregateNode, type Groups } from './group-nodes.js';
import type { PlanNode } from './plan.js';
import { attachProblems, type Problem } from './problem.js';
import type { Flat, StorableRow } from './row-type.js';
import type { ViewTypeError } from './view-type-error.js';

/** Makes a collection of a node and what its making noted: how what waits to be grouped gives collections again. */
export type Give = (build: Build, node: PlanNode) => Collection<any, any, any>;

/** Rows grouped, waiting for what is to be known of each group. */
export class Grouping<
  in out Row,
  in out Group,
  out Key extends string = keyof Group & string,
  in out Tag extends string | null = null,
> {
  declare readonly group: (group: Group) => Group;
  declare readonly key: Key;
  readonly #groups: Groups;
  readonly #give: Give;

  constructor(groups: Groups, problems: readonly Problem[], give: Give) {
    this.#groups = groups;
    this.#give = give;
    attachProblems(this, problems);
  }

  /** One row per group: its columns, and these. A group exists while it has rows. */
  aggregate<Results extends object>(aggregates: {
    [N in keyof Results]: N extends keyof Group
      ? ViewTypeError<`The group has a column "${N & string}" already.`>
      : Aggregate<Row, Results[N]>;
  }): Collection<Flat<Group & Results>, Key> {
    const build = this.#build();
    return this.#give(build, aggregateNode(build, this.#groups, aggregates));
  }

  /**
   * One row per group: its columns, and a state of this schema, folded from its events in the order of the log by the
   * functions given next, `.on({ OrderPlaced: (state, event) => … })` or `.with((state, event) => …)`.
   */
  evolve<S extends z.core.$ZodType>(
    state: S & StorableRow<S> & StateOfGroup<Group, S>,
    initial: StateInput<S>,
    options: EvolveOptions = {},
  ): Evolving<Row, Group, Tag, S> {
    return new Evolving<Row, Group, Tag, S>(
      { build: this.#build(), groups: this.#groups, state, initial, options },
      this.#give,
    );
  }

  #build(): Build {
    return new Build({ plan: this.#groups.input }, this);
  }
}
