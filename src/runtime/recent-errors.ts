import { Ended } from './task-end.js';
import type { TaskOptions } from './task-options.js';
import type { TaskRecord } from './ports/task-store.js';

/** How many of a task's last entries failed: when it is too many the view is parked. */
export class RecentErrors {
  /** Of the ticks that make up the last `errorsWindow` entries: [entries, errors]. */
  readonly #ticks: [entries: number, errors: number][] = [];

  constructor(readonly options: Pick<TaskOptions, 'id' | 'errorsMax' | 'limits'>) {}

  /** @throws Ended where they are too many; the tick that went over the limit is committed. */
  add(entries: number, errors: number, { positions }: TaskRecord): void {
    const { id, errorsMax, limits } = this.options;
    this.#ticks.push([entries, Math.max(0, errors)]);
    let window = this.#ticks.reduce((sum, [count]) => sum + count, 0);
    while (this.#ticks.length > 1 && window - this.#ticks[0]![0] >= limits.errorsWindow)
      window -= this.#ticks.shift()![0];
    const failed = this.#ticks.reduce((sum, [, count]) => sum + count, 0);
    if (failed <= errorsMax * Math.max(1, window / limits.errorsWindow)) return;
    throw new Ended({
      how: 'parked',
      reason: {
        code: 'errors-max',
        message:
          `The view "${id.view}" was parked: ${failed} of its last ${window} entries failed, and it allows ${errorsMax} of ${limits.errorsWindow}.\n` +
          `What was good is committed; the entries after ${JSON.stringify(positions)} wait. ` +
          `See GET /views/${id.view}/errors, then correct the view (it will be rebuilt) or raise \`errorsMax\`.`,
      },
    });
  }
}
