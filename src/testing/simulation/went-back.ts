import { type Followed, heardIn, isBetween } from '../../runtime/followed.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { followedRounds, followsRounds, givesRounds } from '../../runtime/rounds.js';
import { type TaskId, taskName, taskNamed } from '../../runtime/task-id.js';
import { NO_TICK } from '../../runtime/tick.js';
import { stageOf } from '../../view/exchange.js';
import { inputNameOf, type ViewDeclaration } from '../../view/declarations.js';
import { sourcesOf } from '../../view/plan-nodes.js';
import { stagesOf } from '../../view/stages.js';

/**
 * What went back in a run, who left in it, and for what a task may park after it. Where all went back at once nobody is ahead of anybody but
 * who had a commit on its way: it is stored if it follows what there is again, with what it had read of what is lost.
 */
export class WentBack {
  times = 0;
  #all = 0;
  #streams = 0;
  /** By their names. */
  readonly #tasks: string[] = [];
  /** Those that went back further than what they had read is kept. */
  readonly #far = new Set<string>();
  /** Those that stored a commit that was on its way when all went back. */
  readonly #ahead = new Set<string>();
  /** Those that stored what others have lost, and may have lost without knowing it. */
  readonly #broughtLost: string[] = [];
  /** Those whose owner came back with their slot, and went on without knowing that something was lost. */
  readonly #cameBack: string[] = [];
  /** How many owners of each were killed or paused. */
  readonly #ownersLeft = new Map<string, number>();
  /** Those of which a commit broke off. */
  readonly #brokenOff = new Set<string>();

  constructor(
    readonly options: {
      /** For so long what was received is kept at least. */
      readonly keptMs: number;
      /** What their logs lose is gone. */
      readonly forGood: boolean;
    },
  ) {}

  /** Whether anything did, or broke off. */
  get anything(): boolean {
    return this.times > 0 || this.#brokenOff.size > 0;
  }

  all(): void {
    this.times++;
    this.#all++;
  }

  /** A commit was stored with what had been read of a sender that has lost it. If that looked before for who is ahead of it, it does not know. */
  broughtWhatIsLost(task: string): void {
    this.#broughtLost.push(task);
  }

  /** One that owned the task at the time to which its slot went back commits on: it does not know that anything was lost. */
  ownerCameBack(task: string): void {
    if (!isOfFollower(task)) this.#cameBack.push(task);
  }

  /** Its owner was killed, or is away for longer than it is waited for. */
  ownerLeft(task: string): void {
    this.#ownersLeft.set(task, 1 + (this.#ownersLeft.get(task) ?? 0));
  }

  /** Whether a step of a task that did nothing wrong may be taken for what ended two of its owners: both may have left in it. */
  seemsToEndOwners(task: string): boolean {
    return (this.#ownersLeft.get(task) ?? 0) >= 2;
  }

  brokeOff(task: string): void {
    this.#brokenOff.add(task);
  }

  /** A commit was stored that was made before something went back. */
  cameLate(task: string): void {
    if (this.#all > 0) this.#ahead.add(task);
  }

  /** The registry, and who is alive: no task loses anything, and none may park. */
  beside(): void {
    this.times++;
  }

  stream(): void {
    this.times++;
    this.#streams++;
  }

  /** By name, by how many milliseconds. */
  tasks(ages: ReadonlyMap<string, number>): void {
    this.times++;
    this.#tasks.push(...ages.keys());
    for (const [name, byMs] of ages) if (byMs >= this.options.keptMs) this.#far.add(name);
  }

  excuses(status: TaskStatus, view: ViewDeclaration, others: readonly TaskStatus[]): boolean {
    const { task, parked } = status;
    if (this.#readsWhatBrokeOff(view)) return true;
    switch (parked?.code) {
      case 'ends-workers':
        return this.seemsToEndOwners(taskName(task));
      case 'ahead-of-its-log':
      case 'entry-deleted':
        return this.#all + this.#streams > 0;
      case 'log-trimmed':
        return this.options.forGood && this.#tasks.includes(taskName(task));
      case 'changelog-lost':
        return this.#all > 0 || this.#far.has(taskName(task)) || this.#upstreamWentBack(view);
      case 'upstream-went-back':
        return this.#all > 0 || this.#upstreamWentBack(view);
      case 'exchange-lost':
        if (viewsReadBy(view).length > 0 && (this.#all > 0 || this.#excusesOfReader(status, view, others)))
          return true;
        if (hasRounds(view)) return this.#all > 0 || this.#excusesOfRounds(status, view, others);
        return this.#ahead.has(taskName(task)) || this.#excusesOfTicks(status, view, others);
      default:
        return false;
    }
  }

  /**
   * What a sender has lost it makes again: if it knows of it, its log has it, and who received it has not gone back since, nor has half of
   * what came at once.
   */
  #excusesOfTicks(
    { task: { view }, record }: TaskStatus,
    { plan }: ViewDeclaration,
    others: readonly TaskStatus[],
  ): boolean {
    const hasHalf = (heardIn(record ?? NO_TICK) ?? []).some(
      ({ more }, sender) =>
        more && this.#hasGoneBack(view, (name) => isOfFirst(name) && placeIn(name).partition === sender),
    );
    return (
      hasHalf ||
      this.#hasGoneBack(view, (name) => placeIn(name).stage === stageOf(plan)) ||
      this.#cameBack.some((name) => name.startsWith(`${view}#`)) ||
      isAheadOfItsLog(view, others)
    );
  }

  /**
   * The same where that is made of the rows of a view: if that has not gone back too, if who lost it had taken over its rows, and
   * if who received it is not in the middle of what came at once. Who waits for one that is parked parks as well.
   */
  #excusesOfReader(
    { task, record }: TaskStatus,
    view: ViewDeclaration,
    others: readonly TaskStatus[],
  ): boolean {
    const lacksRows = viewsReadBy(view).some((source) => {
      const note = record?.extra[inputNameOf(source)] as Followed | undefined;
      return task.partition < source.partitions && (note === undefined || note.snapshot !== null);
    });
    return (
      this.#upstreamWentBack(view) ||
      (this.#hasGoneBack(task.view, (name) => placeIn(name).stage === 0) &&
        (task.stage === 0 ? lacksRows : heardIn(record ?? NO_TICK)?.some(({ more }) => more) === true)) ||
      others.some(
        (other) => other.task.view === task.view && other.task.stage < task.stage && other.parked !== null,
      )
    );
  }

  /**
   * The same where there are rounds: if they are what they were, and who received it had not the half of what one sent in a round (or 1.0 of
   * what came at once) and has not gone back by more than is kept.
   */
  #excusesOfRounds({ task }: TaskStatus, view: ViewDeclaration, all: readonly TaskStatus[]): boolean {
    const ofView = all.filter((one) => one.task.view === task.view);
    const wentFar = (of: TaskId): boolean => this.#far.has(taskName(of));
    const inTheMiddle = ofView.filter(({ task, record }) =>
      followsRounds(task) ? hasHalf(record) : record !== null && isBetween(record),
    );
    return (
      (this.#hasGoneBack(task.view, isOfGiver) && this.#hasGoneBack(task.view, isOfFirst)) ||
      (this.#hasGoneBack(task.view) &&
        inTheMiddle.some((one) => one.task === task || (task.stage === 0 && givesRounds(one.task)))) ||
      ofView.some((other) => other.parked !== null && wentFar(other.task)) ||
      [...this.#broughtLost, ...this.#cameBack].some((name) => name.startsWith(`${task.view}#`)) ||
      isAheadOfItsLog(task.view, ofView)
    );
  }

  /** Whether a commit of it broke off, or of a view that it reads, and so on: what that had sent or said already others may have taken. */
  #readsWhatBrokeOff(view: ViewDeclaration): boolean {
    const broken = [...this.#brokenOff].some((name) => name.startsWith(`${view.name}#`));
    return broken || viewsReadBy(view).some((source) => this.#readsWhatBrokeOff(source));
  }

  /** Whether rows of a view that it reads were lost: what only sends to those that keep them is made again. */
  #upstreamWentBack(view: ViewDeclaration): boolean {
    return viewsReadBy(view).some((source) =>
      this.#hasGoneBack(source.name, (name) => placeIn(name).stage === stagesOf(source) - 1),
    );
  }

  #hasGoneBack(view: string, which: (name: string) => boolean = () => true): boolean {
    return this.#tasks.some((name) => name.startsWith(`${view}#`) && which(name));
  }
}

const placeIn = (name: string): TaskId => taskNamed(name)!;

/** Whether a task, by its name, is one that follows rounds where there are any. */
export const isOfFollower = (name: string): boolean => followsRounds(placeIn(name));

export const isOfFirst = (name: string): boolean => placeIn(name).stage === 0;

/** Whether it is of the one that gives them. */
export const isOfGiver = (name: string): boolean => givesRounds(placeIn(name));

const isAheadOfItsLog = (view: string, statuses: readonly TaskStatus[]): boolean =>
  statuses.some(({ task, parked }) => task.view === view && parked?.code === 'ahead-of-its-log');

/** Whether a task that follows rounds has some of what one of its senders sent in a round, and not the rest. */
const hasHalf = (record: TaskStatus['record']): boolean => {
  const [, isAll = true] = (record && followedRounds(record)?.taken) ?? [];
  return !isAll;
};

const hasRounds = ({ plan }: ViewDeclaration): boolean => stageOf(plan) > 1;

const viewsReadBy = ({ plan }: ViewDeclaration): ViewDeclaration[] =>
  sourcesOf(plan).filter((source) => source.kind === 'view');
