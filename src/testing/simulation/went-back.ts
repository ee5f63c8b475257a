import type { TaskStatus } from '../../runtime/ports/task-store.js';
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

  all(): void {
    this.times++;
    this.#all++;
  }

  stream(): void {
    this.times++;
    this.#streams++;
  }

  tasks(names: readonly string[]): void {
    this.times++;
    this.#tasks.push(...names);
  }

  excuses({ task, parked }: TaskStatus, view: ViewDeclaration, others: readonly TaskStatus[]): boolean {
    switch (parked?.code) {
      case 'ahead-of-its-log':
      case 'entry-deleted':
        return this.#all + this.#streams > 0;
      case 'changelog-lost':
      case 'upstream-went-back':
        return this.#all + this.#tasks.length > 0;
      case 'exchange-lost':
        if (!canRegain(view)) return this.#all > 0 || this.#hasGoneBack(task.view);
        // What a sender has lost it makes again: if its log has it, and who received it has not gone back since.
        return (
          this.#hasGoneBack(task.view, stageOf(view.plan)) ||
          others.some((other) => other.task.view === task.view && other.parked?.code === 'ahead-of-its-log')
        );
      default:
        return false;
    }
  }

  #hasGoneBack(view: string, stage: number | null = null): boolean {
    return this.#tasks.some(
      (name) => name.startsWith(`${view}#`) && (stage === null || name.includes(`/${stage}.`)),
    );
  }
}

/** As `docs/exchange.md` says: its rows move once, from logs. */
const canRegain = ({ plan }: ViewDeclaration): boolean =>
  stageOf(plan) === 1 && sourcesOf(plan).every(({ kind }) => kind !== 'view');
