import type { KeptError } from '../circuit/error-collection.js';
import type { Delta } from '../zset/delta.js';
import type { Row } from '../zset/value.js';
import type { PartitionClocks } from '../runtime/clocks.js';
import { sourcesOf } from '../view/plan-nodes.js';
import { inputNameOf, type ViewDeclaration } from '../view/declarations.js';
import type { Append } from './history.js';
import { LogRun } from './log-run.js';
import { MaintainedView } from './maintained-view.js';
import { StepLimit } from './step-limit.js';

export interface ViewRunOptions {
  /** How many values each view may keep beside what is committed; little makes every tick load again. */
  cacheEntriesMax?: number | undefined;
  /** How long one step of a view may take. */
  stepMsMax?: number | undefined;
}

/** A view, the views it reads, and all their state, maintained in memory as a worker would maintain them. */
export class ViewRun {
  readonly #views: MaintainedView[];
  readonly #log = new LogRun();
  readonly #limit: StepLimit;

  constructor(
    readonly view: ViewDeclaration,
    { cacheEntriesMax = 1_000_000, stepMsMax }: ViewRunOptions = {},
  ) {
    this.#limit = new StepLimit(stepMsMax);
    this.#views = withUpstreams(view).map(
      (declaration) => new MaintainedView(this.#limit.watched(declaration), cacheEntriesMax),
    );
  }

  /** One tick of every view over these entries, each partition's in the order of the log, and all that becomes due with it. */
  tick(append: Append): void {
    this.#tick(append, false);
  }

  /** As a worker does whose commit was refused: the tick is computed and thrown away, and nothing of it may be left. */
  tickInVain(append: Append): void {
    this.#tick(append, true);
  }

  #tick(append: Append, inVain: boolean): void {
    const { deltas, errors, clocks } = this.#log.read(append, inVain);
    for (const view of this.#views) {
      const name = inputNameOf(view.declaration);
      const step = (): Delta => view.tick({ deltas, errors, clocks }, inVain);
      deltas.set(name, this.#limit.within(view.declaration, step));
      clocks.set(name, view.clocks);
    }
  }

  /** As another worker does that takes over: everything but what was committed is forgotten. */
  takeOver(): void {
    for (const view of this.#views) view.takeOver();
  }

  get rows(): Map<string, Row> {
    return this.#views.at(-1)!.rows();
  }

  /** Of the view itself. */
  get errors(): KeptError[] {
    return this.#views.at(-1)!.errors();
  }

  /** Of the view and all it reads, by view. */
  get errorsByView(): { view: string; errors: KeptError[] }[] {
    return this.#views.map((view) => ({ view: view.declaration.name, errors: view.errors() }));
  }

  /** Rows that came too late for the view itself, by weight. */
  get late(): number {
    return this.#views.at(-1)!.late;
  }

  get checksum(): string {
    return this.#views.at(-1)!.checksum.toString();
  }

  /** Keys under which there are several different rows. */
  get conflicts(): number {
    return this.#views.at(-1)!.conflicts;
  }
}

/** What a tick brings to the views, by input: rows, entries in error, clocks. */
export interface Brought {
  deltas: Map<string, Delta>;
  errors: Map<string, readonly { reason: string; raw: string }[]>;
  clocks: Map<string, PartitionClocks>;
}

/** A view after all the views it reads. */
function withUpstreams(view: ViewDeclaration): ViewDeclaration[] {
  const found = new Map<string, ViewDeclaration>();
  const visit = (declaration: ViewDeclaration): void => {
    if (found.has(declaration.name)) return;
    for (const source of sourcesOf(declaration.plan)) if (source.kind === 'view') visit(source);
    found.set(declaration.name, declaration);
  };
  visit(view);
  return [...found.values()];
}
