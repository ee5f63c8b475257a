import { OTHER_TYPES, SKIPPED_TYPES_MAX } from './tallies.js';

/** What is known of a series: its text in `/metrics`, and whether it only rises. */
export interface SeriesDescription {
  readonly name: string;
  readonly help: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets. */
  readonly bounds?: readonly number[];
}

export type Labels = Readonly<Record<string, string>>;

/** A figure with labels: counts up, or is set. Framework-free; the serving layer prints it. */
export class Series {
  readonly #values = new Map<string, { labels: Labels; value: number }>();

  constructor(readonly description: SeriesDescription) {}

  add(labels: Labels = {}, by = 1): void {
    this.#at(labels).value += by;
  }

  set(labels: Labels, value: number): void {
    this.#at(labels).value = value;
  }

  remove(labels: Labels): void {
    this.#values.delete(this.#keyOf(labels));
  }

  values(): Iterable<{ labels: Labels; value: number }> {
    return this.#values.values();
  }

  get(labels: Labels = {}): number {
    return this.#values.get(this.#keyOf(labels))?.value ?? 0;
  }

  /** Over all labels. */
  sum(): number {
    return [...this.#values.values()].reduce((all, { value }) => all + value, 0);
  }

  #at(labels: Labels): { labels: Labels; value: number } {
    const key = this.#keyOf(labels);
    let at = this.#values.get(key);
    if (!at) this.#values.set(key, (at = { labels, value: 0 }));
    return at;
  }

  #keyOf(labels: Labels): string {
    return this.description.labels.map((label) => labels[label] ?? '').join('\0');
  }
}

/** How often a duration fell under each bound. */
export class Histogram {
  readonly #values = new Map<string, { labels: Labels; counts: number[]; count: number; sum: number }>();

  constructor(readonly description: SeriesDescription & { readonly bounds: readonly number[] }) {}

  observe(labels: Labels, value: number): void {
    const key = this.description.labels.map((label) => labels[label] ?? '').join('\0');
    let at = this.#values.get(key);
    if (!at)
      this.#values.set(
        key,
        (at = { labels, counts: this.description.bounds.map(() => 0), count: 0, sum: 0 }),
      );
    at.count++;
    at.sum += value;
    const bounds = this.description.bounds;
    for (let index = bounds.length - 1; index >= 0 && value <= bounds[index]!; index--) at.counts[index]!++;
  }

  /** `counts` are cumulative: values up to and including each bound. */
  values(): Iterable<{ labels: Labels; counts: readonly number[]; count: number; sum: number }> {
    return this.#values.values();
  }
}

const MILLISECONDS = [0.5, 1, 2, 5, 10, 20, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000];

/**
 * The figures of one process. The runtime counts here what it does; `/metrics` prints it. Labels are views, streams and
 * outcomes only, whose number is bounded by what is declared, and types of events up to a limit.
 */
export class Metrics {
  readonly series: Series[] = [];
  readonly histograms: Histogram[] = [];

  /** Steps of circuits. */
  readonly ticks = this.#counter('stillwater_ticks_total', 'Steps of circuits.', ['view']);
  /** Commits by outcome: committed, alreadyCommitted, fenced, diverged, wantsChangelog, refused, failed, unknown. */
  readonly commits = this.#counter('stillwater_commits_total', 'Commits by outcome.', ['view', 'outcome']);
  /** Commits refused because another worker owns the task. */
  readonly fenced = this.#counter(
    'stillwater_fenced_total',
    'Commits refused because another worker owned the task.',
    ['view'],
  );
  /** Events that went into a view's circuit. */
  readonly events = this.#counter('stillwater_events_total', 'Events that went into a view.', ['view']);
  /** Entries read from a stream (once for all its views). */
  readonly entriesRead = this.#counter('stillwater_entries_read_total', 'Entries read from a stream.', [
    'stream',
  ]);
  readonly bytesRead = this.#counter('stillwater_bytes_read_total', 'Bytes of entries read from a stream.', [
    'stream',
  ]);
  /** Events whose types no schema knows, as they were read and skipped; `GET /streams/{stream}` says how many are in views. */
  readonly #unknownEvents = this.#counter(
    'stillwater_unknown_events_total',
    'Events read and skipped because the schema of the stream does not know their type.',
    ['stream', 'type'],
  );
  readonly #unknownTypes = new Map<string, Set<string>>();
  readonly rowChanges = this.#counter('stillwater_row_changes_total', 'Rows of a view that changed.', [
    'view',
  ]);
  readonly stateWrites = this.#counter(
    'stillwater_state_writes_total',
    'Fields, members and entries written by commits.',
    ['view'],
  );
  readonly stateReads = this.#counter(
    'stillwater_state_reads_total',
    'Fields and members read because they were not cached.',
    ['view'],
  );
  /** Errors in data, as they came in; the number now is `stillwater_view_errors`. */
  readonly errors = this.#counter('stillwater_errors_total', 'Entries and rows that became errors.', [
    'view',
  ]);
  readonly lateRows = this.#counter(
    'stillwater_late_rows_total',
    'Rows that came too late and were left out of what was closed.',
    ['view'],
  );
  /** Tasks taken from an owner that was gone. */
  readonly takeovers = this.#counter('stillwater_takeovers_total', 'Tasks taken over from another worker.', [
    'view',
  ]);
  /** What slots had lost was made again: `ticks`; `sentTicks`, `sentRounds` and `givenRounds` where other tasks had received it. */
  readonly recoveries = this.#counter(
    'stillwater_recoveries_total',
    'Times that a task made again what its hash slot had lost: its own ticks, those that others had received, or those of rounds.',
    ['view', 'kind'],
  );
  readonly parked = this.#counter('stillwater_parked_total', 'Tasks parked, by reason.', ['view', 'reason']);
  readonly readsLost = this.#counter(
    'stillwater_reads_lost_total',
    'Reads that found the log trimmed, deleted or gone back.',
    ['stream', 'cause'],
  );
  readonly archivedEntries = this.#counter(
    'stillwater_archived_entries_total',
    'Entries that were brought into the archive.',
    ['stream'],
  );
  readonly trimFailures = this.#counter(
    'stillwater_trim_failures_total',
    'Rounds in which a stream could not be archived or trimmed.',
    ['stream'],
  );
  readonly trimHeldBack = this.#gauge(
    'stillwater_trim_held_back_since_seconds',
    'Since when a stream is not trimmed as its retention says, and by whom: a view, a consumer group ("group …"), or nobody who reads it. Said by the process that trims.',
    ['stream', 'by'],
  );
  readonly connectionsReplaced = this.#counter(
    'stillwater_connections_replaced_total',
    'Connections to Redis replaced because an answer did not come.',
    [],
  );
  readonly appended = this.#counter('stillwater_appended_events_total', 'Events appended over REST.', [
    'stream',
  ]);
  readonly requests = this.#counter(
    'stillwater_http_requests_total',
    'Requests that this process has answered.',
    ['method', 'status'],
  );

  readonly tasks = this.#gauge('stillwater_tasks', 'Tasks this worker owns.', []);
  readonly cacheEntries = this.#gauge('stillwater_cache_entries', 'Values of state in the cache.', []);
  readonly subscribers = this.#gauge('stillwater_change_subscribers', 'Open connections to /changes.', []);
  readonly lagEntries = this.#gauge(
    'stillwater_view_lag_entries',
    'Entries between the ends of the streams and what the view contains.',
    ['view'],
  );
  readonly lagMs = this.#gauge(
    'stillwater_view_lag_ms',
    'Milliseconds between the ends of the streams and what the view contains.',
    ['view'],
  );
  readonly rows = this.#gauge('stillwater_view_rows', 'Rows of a view.', ['view']);
  readonly viewErrors = this.#gauge(
    'stillwater_view_errors',
    'Rows and entries of a view that are in error now.',
    ['view'],
  );
  readonly conflicts = this.#gauge(
    'stillwater_view_conflicts',
    'Keys of a view under which there are several different rows.',
    ['view'],
  );
  readonly parkedKeys = this.#gauge(
    'stillwater_view_parked_keys',
    'Groups of a view whose fold stopped at an event.',
    ['view'],
  );
  readonly waitingEvents = this.#gauge(
    'stillwater_view_waiting_events',
    'Events of a view that came after one at which their group stopped.',
    ['view'],
  );
  readonly clockSeconds = this.#gauge(
    'stillwater_view_clock_seconds',
    'The clock of a source as a view knows it: seconds since 1970, in the time of its events.',
    ['view', 'source'],
  );
  readonly watermarkSeconds = this.#gauge(
    'stillwater_view_watermark_seconds',
    'Before this, in the time of its events, everything of a source is closed: seconds since 1970.',
    ['view', 'source'],
  );
  readonly waitingTasks = this.#gauge(
    'stillwater_view_waiting_tasks',
    'Tasks of a view whose commits Redis refuses at the moment.',
    ['view'],
  );
  readonly parkedTasks = this.#gauge(
    'stillwater_view_parked_tasks',
    'Tasks of a view that nobody goes on with.',
    ['view'],
  );
  readonly givenUp = this.#gauge(
    'stillwater_view_given_up',
    '1 where a view has been parked for so long that it holds back no trimming any more.',
    ['view'],
  );

  readonly stepMs = this.#histogram('stillwater_step_ms', 'Milliseconds of stepping a circuit.', ['view']);
  readonly commitMs = this.#histogram(
    'stillwater_commit_ms',
    'Milliseconds from sending a commit to its answer.',
    ['view'],
  );
  readonly requestMs = this.#histogram('stillwater_http_request_ms', 'Milliseconds of answering a request.', [
    'method',
  ]);

  /** An event was skipped. Types are what producers write: of each stream so many are told apart. */
  countUnknown(stream: string, type: string): void {
    let types = this.#unknownTypes.get(stream);
    if (types === undefined) this.#unknownTypes.set(stream, (types = new Set()));
    if (types.size < SKIPPED_TYPES_MAX) types.add(type);
    this.#unknownEvents.add({ stream, type: types.has(type) ? type : OTHER_TYPES });
  }

  #counter(name: string, help: string, labels: readonly string[]): Series {
    return this.#series({ name, help, kind: 'counter', labels });
  }

  #gauge(name: string, help: string, labels: readonly string[]): Series {
    return this.#series({ name, help, kind: 'gauge', labels });
  }

  #series(description: SeriesDescription): Series {
    const series = new Series(description);
    this.series.push(series);
    return series;
  }

  #histogram(name: string, help: string, labels: readonly string[]): Histogram {
    const histogram = new Histogram({ name, help, kind: 'histogram', labels, bounds: MILLISECONDS });
    this.histograms.push(histogram);
    return histogram;
  }
}
