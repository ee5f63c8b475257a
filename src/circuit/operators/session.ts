import { assert } from '../../assert.js';
import { Delta } from '../../zset/delta.js';
import { hasInstant, INSTANT_WIDTH, instantMs, instantText } from '../../zset/instant-text.js';
import type { Row, Value } from '../../zset/value.js';
import { type Due, DUE_MAX, type DueTimes } from '../due-times.js';
import type { BuildRow } from '../generated-row.js';
import { GroupSessions, membersOf, type SessionChanges, sessionText } from '../group-sessions.js';
import type { ErrorSink, LateSink, Operator, Ordered } from '../operator.js';
import { memberOfRow } from '../ordered-rows.js';
import type { Session as Span, SessionList } from '../session-list.js';
import { type ColumnTime, columnWatermark, type Time } from '../time.js';
import { windowless } from '../windows.js';

export interface SessionOptions {
  readonly gapMs: number;
  readonly column: string;
  readonly atOf: (row: Row) => Value;
  readonly groupKeyOf: (row: Row) => string;
  readonly textOf: (row: Row) => string;
  /** The row with `values[0]` and `values[1]` as the session's start and as its own time and the gap. */
  readonly rowOf: BuildRow;
  /** Where rows are of a column with a watermark. */
  readonly closing: SessionClosing | null;
}

export interface SessionClosing {
  readonly time: ColumnTime;
  /** The sessions there are, each at its end: where it starts, and its group. */
  readonly due: DueTimes;
  /** Null where no row is ever late. */
  readonly late: LateSink | null;
}

/** Rows of a session that is over go at least so many at once. */
const ROWS_PAGE_MIN = 8;

/**
 * Gives each row of a group the session it is in: rows whose times are at most the gap apart.
 *
 *   in   Δ row
 *   out  Δ row with windowStart and windowEnd     and the rows that are now in a session of another start, moved
 *
 * `windowStart` is the time of a session's first row; `windowEnd` the row's own time and the gap, of which the greatest is
 * the session's end. So a row that comes at the end of a session moves no other. What changes where a session begins moves
 * its rows: one that comes before its first or between two sessions, its first that goes, one whose going parts it.
 *
 * Each group has its rows in the order of their times, and the first and last time of its sessions. Where the times have
 * a watermark, a session is over when its end is below that: what is kept of it goes, some rows in each tick where it has
 * many. A row that was late counts if a session of it alone would not have been over when it came; it does not join one
 * that was. So the log alone decides, and no session begins where one that is over began.
 */
export class Session implements Operator {
  unfinished = false;
  readonly timed: boolean;
  #input: Delta<Row> | null = null;
  #groups = new Map<string, GroupSessions>();
  #late: [row: Row, weight: number, watermark: number][] = [];
  #windowless: [row: Row, weight: number][] = [];
  #bound = '';
  #due: readonly Due[] = [];
  #page = 0;
  /** By how much the watermark of the rows' times lags, at the least. */
  readonly #delayMs: number;

  constructor(
    /** By group: time, then the row's text. */
    readonly rows: Ordered,
    /** By group: first and last time. */
    readonly sessions: Ordered,
    readonly options: SessionOptions,
    readonly errors: ErrorSink,
  ) {
    this.timed = options.closing !== null;
    this.#delayMs = Math.min(...(options.closing?.time ?? []).map(({ delayMs }) => delayMs));
  }

  reads([input]: readonly [Delta<Row>], time: Time): void {
    if (this.#input !== input) this.#group(input);
    for (const [group, tick] of this.#groups) {
      const changes = tick.reads(this.rows, this.sessions);
      for (const move of changes?.moves ?? []) this.rows.wantBetween(group, ...membersOf(move));
    }
    if (this.options.closing !== null) this.#readDue(this.options.closing, time);
  }

  step(): Delta<Row> {
    const output = new Delta<Row>();
    const { column, atOf } = this.options;
    for (const [row, weight] of this.#windowless)
      this.errors.add(row, weight, windowless(column, atOf(row) as string | null, 'session'));
    for (const [row, weight, watermark] of this.#late)
      this.options.closing!.late!.add(row, weight, watermark);
    for (const [group, tick] of this.#groups) this.#change(group, tick, output);
    for (const due of this.#due) this.#free(due, this.options.closing!.due);
    this.#forget();
    return output;
  }

  discard(): void {
    this.#forget();
    this.unfinished = false;
  }

  #forget(): void {
    this.#input = null;
    this.#groups = new Map();
    this.#late = [];
    this.#windowless = [];
    this.#due = [];
  }

  #group(input: Delta<Row>): void {
    this.#forget();
    const { atOf, groupKeyOf, textOf, gapMs, closing } = this.options;
    for (let index = 0; index < input.size; index++) {
      const row = input.rows[index]!;
      const weight = input.weights[index]!;
      const at = atOf(row) as string | null;
      const ms = at === null ? NaN : instantMs(at);
      if (at === null || !hasInstant(ms + gapMs)) {
        this.#windowless.push([row, weight]);
        continue;
      }
      const late = closing?.late ? input.lates?.[index] : undefined;
      const watermark = (late ?? Number.NEGATIVE_INFINITY) - this.#delayMs;
      if (late !== undefined && ms + gapMs < watermark) {
        this.#late.push([row, weight, late]);
        continue;
      }
      const key = groupKeyOf(row);
      let group = this.#groups.get(key);
      if (group === undefined) this.#groups.set(key, (group = new GroupSessions(key, gapMs)));
      const lateBy = late === undefined ? Number.NEGATIVE_INFINITY : watermark;
      group.add(memberOfRow(at, textOf(row)), row, ms, weight, lateBy);
    }
    this.#input = input;
  }

  #readDue({ due, time: column }: SessionClosing, time: Time): void {
    this.#bound = instantText(columnWatermark(time, column));
    this.#due = [];
    this.unfinished = false;
    if (!due.wantDue(this.#bound)) return;
    const found = due.due(this.#bound);
    this.#due = found.due;
    this.unfinished = found.more;
    this.#page = Math.max(ROWS_PAGE_MIN, Math.ceil(DUE_MAX / found.due.length));
    for (const one of found.due) {
      const { group, session } = this.#sessionOf(one);
      const [from, to] = membersOf(session);
      this.sessions.wantMember(group, sessionText(session));
      this.rows.wantFrom(group, from, 'up', this.#page, this.#groups.get(group)?.retracted ?? 0, to);
    }
  }

  #change(group: string, tick: GroupSessions, output: Delta<Row>): void {
    const changes = tick.reads(this.rows, this.sessions)!;
    const { before, after, moves } = changes;
    for (const move of moves)
      for (const [member, weight] of this.rows.between(group, ...membersOf(move))) {
        const row = JSON.parse(member.slice(member.lastIndexOf('\0') + 1)) as Row;
        this.#give(row, move.from, -weight, output);
        this.#give(row, move.to, weight, output);
      }
    for (const [member, { row, at, weight }] of tick.rows) {
      if (weight === 0) continue;
      this.rows.add(group, member, weight);
      const session = after.at(at) ?? before.at(at);
      assert(session !== undefined, `A row of ${JSON.stringify(group)} is in no session: ${member}.`);
      this.#give(row, session.start, weight, output);
    }
    this.#keep(group, changes);
  }

  #give(row: Row, start: number, weight: number, output: Delta<Row>): void {
    const { atOf, rowOf, gapMs } = this.options;
    const end = instantText(instantMs(atOf(row) as string) + gapMs);
    output.push(rowOf(row, [instantText(start), end]), weight);
  }

  /** The sessions that there are now in the place of those before. */
  #keep(group: string, { before, after }: SessionChanges): void {
    const isIn = ({ start, last }: Span, list: SessionList): boolean => {
      const other = list.at(start);
      return other?.start === start && other.last === last;
    };
    for (const session of before.all) if (!isIn(session, after)) this.#put(group, session, -1);
    for (const session of after.all) if (!isIn(session, before)) this.#put(group, session, 1);
  }

  #put(group: string, session: Span, weight: 1 | -1): void {
    const member = sessionText(session);
    this.sessions.addTo(weight === 1 ? 0 : 1, group, member, weight);
    if (this.options.closing === null) return;
    const end = instantText(session.last + this.options.gapMs);
    this.options.closing.due.addTo(weight === 1 ? 0 : 1, end, instantText(session.start) + group, weight);
    if (weight === 1 && end < this.#bound) this.unfinished = true;
  }

  /** Takes away what is kept of a session that is over, as much as one tick takes. */
  #free(one: Due, due: DueTimes): void {
    if (due.weight(one.at, one.key) === 0) return; // It is another session now.
    const { group, session } = this.#sessionOf(one);
    const [from, to] = membersOf(session);
    const found = this.rows.from(group, from, 'up', this.#page, to);
    for (const [member, weight] of found) this.rows.add(group, member, -weight);
    if (found.length === this.#page) {
      this.unfinished = true;
      return;
    }
    this.sessions.add(group, sessionText(session), -1);
    due.add(one.at, one.key, -1);
  }

  #sessionOf({ at, key }: Due): { group: string; session: Span } {
    const start = instantMs(key.slice(0, INSTANT_WIDTH));
    return {
      group: key.slice(INSTANT_WIDTH),
      session: { start, last: instantMs(at) - this.options.gapMs },
    };
  }
}
