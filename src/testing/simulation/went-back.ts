import { isBetween } from '../../runtime/followed.js';
import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { followsRounds, givesRounds } from '../../runtime/rounds.js';
import { type TaskId, taskName } from '../../runtime/task-id.js';
import { stageOf } from '../../view/exchange.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { sourcesOf } from '../../view/plan-nodes.js';

/**
 * What went back in a run, and for what a task may park after it. Where all went back at once nobody is ahead of anybody but
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
  /** Those of the first two stages that went on without knowing that the first had lost something. */
  readonly #unseen: string[] = [];

  constructor(
    readonly options: {
      /** For so long what was received is kept at least. */
      readonly keptMs: number;
      /** What their logs lose is gone. */
      readonly forGood: boolean;
    },
  ) {}

  all(): void {
    this.times++;
    this.#all++;
  }

  /** A commit was stored with what had been read of a sender that has lost it. If that looked before for who is ahead of it, it does not know. */
  broughtWhatIsLost(task: string): void {
    this.#unseen.push(task);
  }

  /** One that owned the task at the time to which its slot went back commits on: it does not know that anything was lost. */
  ownerCameBack(task: string): void {
    if (placeIn(task).stage === 0) this.#unseen.push(task);
  }

  /** A commit was stored that was made before something went back. */
  cameLate(task: string): void {
    if (this.#all > 0) this.#ahead.add(task);
  }

  stream(): void {
    this.times++;
    this.#streams++;
  }

  tasks(names: readonly string[], byMs: number): void {
    this.times++;
    this.#tasks.push(...names);
    if (byMs >= this.options.keptMs) for (const name of names) this.#far.add(name);
  }

  excuses(status: TaskStatus, view: ViewDeclaration, others: readonly TaskStatus[]): boolean {
    const { task, parked } = status;
    switch (parked?.code) {
      case 'ahead-of-its-log':
      case 'entry-deleted':
        return this.#all + this.#streams > 0;
      case 'log-trimmed':
        return this.options.forGood && this.#tasks.includes(taskName(task));
      case 'changelog-lost':
      case 'upstream-went-back':
        return this.#all + this.#tasks.length > 0;
      case 'exchange-lost':
        if (hasRounds(view)) return this.#all > 0 || this.#excusesOfRounds(status, view, others);
        if (readsViews(view)) return this.#all > 0 || this.#hasGoneBack(task.view);
        return this.#ahead.has(taskName(task)) || this.#excusesOfTicks(task, view, others);
      default:
        return false;
    }
  }

  /** What a sender has lost it makes again: if its log has it, and who received it has not gone back since. */
  #excusesOfTicks({ view }: TaskId, { plan }: ViewDeclaration, others: readonly TaskStatus[]): boolean {
    return (
      this.#hasGoneBack(view, (name) => placeIn(name).stage === stageOf(plan)) ||
      isAheadOfItsLog(view, others)
    );
  }

  /**
   * The same where there are rounds: if they are what they were, and who received it was not in the middle of one (or 1.0 in the middle
   * of what came at once) and has not gone back by more than is kept.
   */
  #excusesOfRounds({ task }: TaskStatus, view: ViewDeclaration, all: readonly TaskStatus[]): boolean {
    const ofView = all.filter((one) => one.task.view === task.view);
    const wentFar = (of: TaskId): boolean => this.#far.has(taskName(of));
    const inTheMiddle = ofView.filter(({ record }) => record !== null && isBetween(record));
    return (
      this.#hasGoneBack(task.view, isOfGiver) ||
      (readsViews(view) && this.#hasGoneBack(task.view, (name) => placeIn(name).stage === 0)) ||
      (this.#hasGoneBack(task.view) &&
        inTheMiddle.some((one) => one.task === task || (task.stage === 0 && givesRounds(one.task)))) ||
      ofView.some((other) => other.parked !== null && wentFar(other.task)) ||
      this.#unseen.some((name) => name.startsWith(`${task.view}#`)) ||
      isAheadOfItsLog(task.view, ofView)
    );
  }

  #hasGoneBack(view: string, which: (name: string) => boolean = () => true): boolean {
    return this.#tasks.some((name) => name.startsWith(`${view}#`) && which(name));
  }
}

/** Of a task's name its stage and its partition. */
function placeIn(name: string): Pick<TaskId, 'stage' | 'partition'> {
  const [stage, partition] = name.slice(name.lastIndexOf('/') + 1).split('.');
  return { stage: Number(stage), partition: Number(partition) };
}

/** Whether a task, by its name, is one that follows rounds where there are any. */
export const isOfFollower = (name: string): boolean => followsRounds(placeIn(name));

/** Whether it is of the one that gives them. */
export const isOfGiver = (name: string): boolean => givesRounds(placeIn(name));

const isAheadOfItsLog = (view: string, statuses: readonly TaskStatus[]): boolean =>
  statuses.some(({ task, parked }) => task.view === view && parked?.code === 'ahead-of-its-log');

const hasRounds = ({ plan }: ViewDeclaration): boolean => stageOf(plan) > 1;

/** A place in these is not known (`docs/exchange.md`). */
const readsViews = ({ plan }: ViewDeclaration): boolean =>
  sourcesOf(plan).some(({ kind }) => kind === 'view');
