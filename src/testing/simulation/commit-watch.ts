import { shownRows } from '../../zset/row-block.js';
import { comparePositions } from '../../runtime/position.js';
import type { CommitOutcome, CommitRequest, TaskRecord, TaskStore } from '../../runtime/ports/task-store.js';
import { isInEntry } from '../../runtime/entry-parts.js';
import { lastSent } from '../../runtime/exchange-entry.js';
import { isBetween } from '../../runtime/followed.js';
import { ROUNDS } from '../../runtime/rounds.js';
import { taskName } from '../../runtime/task-id.js';
import type { Subject } from './subject.js';

/** Who is told, by a task's name, of what may make it park. */
export interface Told {
  /** A commit was stored, one made before something went back where it is late. What is wrong with what there is then; null where nothing is. */
  stored(request: CommitRequest, isLate: boolean): string | null;
  /** It stored a commit made before something went back. */
  cameLate(task: string): void;
  /** It broke off half way. The store through which it was sent. */
  brokeOff(task: string, store: TaskStore): void;
  /** Asked of a commit before it is stored. */
  bringsWhatIsLost(request: CommitRequest): boolean;
  /** It stored what it had read of another task that has lost it. */
  broughtWhatIsLost(task: string): void;
  /** Its slot went back, and with it its owner: another one had taken it since. */
  ownerCameBack(task: string): void;
}

/**
 * Looks at every commit as it is stored: ticks rise, one by one where nothing is sent, positions and frontiers never move back, and no commit
 * comes from an owner when another has taken the task, nor of a task of which one broke off; what is always true of a row is true of those that are of one frontier.
 */
export class CommitWatch {
  /** What did not hold, the first of it. */
  violation: string | null = null;
  commits = 0;
  /** Of these such as left an entry in the middle. */
  inEntries = 0;
  /** And such as gave a round again that was lost. */
  givenAgain = 0;
  /** Commits that broke off half way. */
  brokenOff = 0;
  #nonces = 0;
  /** The number of the last commit that was made before something went back; 0 where nothing has. */
  #lastBefore = 0;
  readonly #last = new Map<string, { record: TaskRecord; epoch: number }>();
  /** Those of which a commit broke off, and what they keep is still what it left. */
  readonly #brokenOff = new Set<string>();
  /** Through which process' store each task was taken last. */
  readonly #taken = new Map<string, TaskStore>();
  /** The same, whatever went back since. */
  readonly #takenLast = new Map<string, TaskStore>();

  constructor(
    readonly always: NonNullable<Subject['always']> | undefined,
    readonly told: Told,
    /** What is of several histories is of no frontier, until it is noticed: but not where only rounds are lost. */
    readonly judges: 'before anything went back' | 'always' = 'before anything went back',
  ) {}

  over(store: TaskStore): void {
    const commit = store.commit.bind(store);
    store.commit = async (request: CommitRequest): Promise<CommitOutcome> => {
      const bringsLost = this.told.bringsWhatIsLost(request);
      const outcome = await commit(request);
      if (outcome.status === 'failed') {
        const name = taskName(request.task);
        // What is sent behind one fails as well.
        if (!this.#brokenOff.has(name)) this.brokenOff++;
        this.#brokenOff.add(name);
        this.told.brokeOff(name, store);
      }
      if (outcome.status === 'committed') this.#look(request, store, bringsLost);
      return outcome;
    };
    const claim = store.claim.bind(store);
    store.claim = async (...asked) => {
      const claimed = await claim(...asked);
      if (claimed !== null && (await store.reload(asked[0], claimed.token)) !== null)
        for (const taken of [this.#taken, this.#takenLast]) taken.set(taskName(asked[0]), store);
      return claimed;
    };
    const drop = store.drop.bind(store);
    store.drop = async (...asked) => {
      const dropped = await drop(...asked);
      // Where the registry goes back its name may be given again.
      if (dropped) this.#forget(taskName(asked[0]));
      return dropped;
    };
  }

  /** The name of the next commit. */
  nonce(): string {
    return `n${++this.#nonces}`;
  }

  /** Something was rolled back. What was seen of a task counts on, but in the slots that went back: of these tasks. */
  wentBack(tasks: ReadonlySet<string>): void {
    this.#lastBefore = this.#nonces;
    for (const name of tasks) this.#forget(name);
  }

  #forget(name: string): void {
    this.#last.delete(name);
    this.#brokenOff.delete(name);
    this.#taken.delete(name);
  }

  #look(request: CommitRequest, store: TaskStore, bringsLost: boolean): void {
    const { task, token, nonce, record, keyed, sent } = request;
    this.commits++;
    if (isInEntry(record)) this.inEntries++;
    if (sent?.some(({ receiver }) => receiver === ROUNDS) && lastSent(record, ROUNDS).tick < record.tick)
      this.givenAgain++;
    const name = taskName(task);
    if (this.#brokenOff.has(name)) this.violation ??= `${name}: it went on after a commit that broke off`;
    const isLate = Number(nonce.slice(1)) <= this.#lastBefore;
    if (isLate) this.told.cameLate(name);
    this.violation ??= this.told.stored(request, isLate);
    if (bringsLost) this.told.broughtWhatIsLost(name);
    if (this.#takenLast.get(name) !== store) this.told.ownerCameBack(name);
    const last = this.#last.get(name);
    this.#last.set(name, { record, epoch: token.epoch });
    if ((this.judges === 'always' || this.#lastBefore === 0) && !isBetween(record))
      for (const { state, writes } of keyed)
        if (state === 'rows')
          for (const [key, stored] of writes)
            for (const { text } of shownRows(key, stored ?? '')) this.#judge(name, text);
    if (!last) return;
    const taken = this.#taken.get(name);
    const say = (what: string): void => {
      this.violation ??= `${name}: ${what}\nbefore ${JSON.stringify(last)}\nafter ${JSON.stringify({ record, token })}`;
    };
    // Who sends passes over numbers that others have heard of in a history that is lost; changelogs are read by numbers.
    const follows = sent ? record.tick > last.record.tick : record.tick === last.record.tick + 1;
    if (!follows) say('a tick does not follow the one before');
    if (token.epoch < last.epoch) say('a commit came under an earlier epoch');
    if (taken !== undefined && taken !== store)
      say('a commit came from an owner when another had taken the task');
    for (const [input, { position, entries }] of Object.entries(last.record.positions)) {
      const now = record.positions[input];
      if (!now || comparePositions(now.position, position) < 0 || now.entries < entries)
        say(`the position of ${input} moved back`);
    }
    for (const [log, position] of Object.entries(last.record.frontier))
      if (!record.frontier[log] || comparePositions(record.frontier[log], position) < 0)
        say(`the frontier of ${log} moved back`);
  }

  #judge(name: string, row: string): void {
    if (this.always?.(JSON.parse(row) as Record<string, unknown>) === false)
      this.violation ??= `${name}: a row shows half of an event\n${row}`;
  }
}
