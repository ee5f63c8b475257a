import type { TaskStatus } from '../../runtime/ports/task-store.js';
import { compileStage } from '../../view/compile-plan.js';
import { stageOf } from '../../view/exchange.js';
import type { ViewDeclaration } from '../../view/plan.js';
import { sourcesOf } from '../../view/plan-nodes.js';

/**
 * What went back in a run, and for what a task may park after it. Where all went back at once nobody is ahead of anybody, and
 * nothing parks.
 */
export class WentBack {
  times = 0;
  #streams = 0;
  /** By their names. */
  readonly #tasks: string[] = [];

  all(): void {
    this.times++;
  }

  stream(): void {
    this.times++;
    this.#streams++;
  }

  task(name: string): void {
    this.times++;
    this.#tasks.push(name);
  }

  excuses({ task, parked }: TaskStatus, view: ViewDeclaration): boolean {
    switch (parked?.code) {
      case 'ahead-of-its-log':
      case 'entry-deleted':
        return this.#streams > 0;
      case 'changelog-lost':
      case 'upstream-went-back':
        return this.#tasks.length > 0;
      case 'exchange-lost':
        // What a sender has lost it makes again, if it can.
        return this.#tasks.some(
          (name) =>
            name.startsWith(`${task.view}#`) &&
            (!canRegain(view) || name.includes(`/${stageOf(view.plan)}.`)),
        );
      default:
        return false;
    }
  }
}

/** As `docs/exchange.md` says: its rows move once, from logs, and it acts on no time. */
const canRegain = (view: ViewDeclaration): boolean =>
  stageOf(view.plan) === 1 &&
  sourcesOf(view.plan).every(({ kind }) => kind !== 'view') &&
  compileStage(view, 0, { budget: { entriesMax: 1 } }).timed.size === 0;
