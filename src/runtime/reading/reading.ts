import type { ViewDeclaration } from '../../view/declarations.js';
import type { Value } from '../../zset/value.js';
import type { Catalog } from '../catalog.js';
import type { Clock } from '../clock.js';
import { defaultLimits } from '../limits.js';
import type { Metrics } from '../metrics.js';
import type { SourceLog } from '../ports/source-log.js';
import type { TaskStore } from '../ports/task-store.js';
import type { ViewStore } from '../ports/view-store.js';
import type { Workers } from '../ports/workers.js';
import type { RegistryWatch } from '../registry-watch.js';
import { ViewReader } from '../view-reader.js';
import { ChangeFeed } from './change-feed.js';
import { defaultReadingLimits, type ReadingLimits } from './reading-limits.js';
import { RowsReader } from './rows-reader.js';
import { ServedViews } from './served-views.js';
import { ViewStatuses } from './view-status.js';
import { PositionWait } from './wait-for-position.js';

export interface ReadingOptions {
  catalog: () => Catalog;
  /** Started by whoever made it. */
  watch: RegistryWatch;
  store: ViewStore;
  tasks: TaskStore;
  log: SourceLog;
  workers: Workers;
  clock: Clock;
  metrics: Metrics;
  /** As it is where streams are trimmed. */
  parkedHoldsBackMs?: number;
  limits?: Partial<ReadingLimits>;
}

/** All that reads views: what REST, embedded readers, health and metrics are made of. */
export class Reading {
  readonly limits: ReadingLimits;
  readonly views: ServedViews;
  readonly reader: RowsReader;
  readonly wait: PositionWait;
  readonly feed: ChangeFeed;
  readonly statuses: ViewStatuses;

  constructor(readonly options: ReadingOptions) {
    const { watch, store, tasks, log, workers, clock, metrics } = options;
    this.limits = { ...defaultReadingLimits, ...options.limits };
    this.views = new ServedViews(options.catalog, watch);
    this.reader = new RowsReader(store, this.limits);
    this.wait = new PositionWait(this.reader, clock, this.limits);
    this.feed = new ChangeFeed(this.views, this.reader, store, log, clock, metrics, this.limits);
    this.statuses = new ViewStatuses(
      this.views,
      tasks,
      log,
      workers,
      options.parkedHoldsBackMs ?? defaultLimits.parkedHoldsBackMs,
    );
  }

  /** A reader of a declared view, typed by it, or of one known by name only. */
  view<V extends { readonly declaration: ViewDeclaration }>(view: V): ViewReader<V>;
  view<R = Record<string, Value>>(view: string): ViewReader<R>;
  view(view: string | { readonly declaration: ViewDeclaration }): ViewReader<any> {
    return new ViewReader(typeof view === 'string' ? view : view.declaration.name, this);
  }

  close(): void {
    this.feed.close();
  }
}
