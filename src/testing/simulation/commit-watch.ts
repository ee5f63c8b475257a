import { comparePositions } from '../../runtime/position.js';
import type { CommitOutcome, CommitRequest, TaskRecord, TaskStore } from '../../runtime/ports/task-store.js';
import { taskName } from '../../runtime/task-id.js';

/**
 * Looks at every commit as it is stored: ticks rise one by one, positions and frontiers never move back, no commit
 * comes under an owner's epoch when a later one was in force, and under one epoch there is one owner.
 */
export class CommitWatch {
  /** What did not hold, the first of it. */
  violation: string | null = null;
  commits = 0;
  readonly #last = new Map<string, { record: TaskRecord; epoch: number; by: string }>();

  over(store: TaskStore, by: string): void {
    const commit = store.commit.bind(store);
    store.commit = async (request: CommitRequest): Promise<CommitOutcome> => {
      const outcome = await commit(request);
      if (outcome.status === 'committed') this.#look(request, by);
      return outcome;
    };
  }

  /** Something was rolled back: what was seen counts no more. */
  wentBack(): void {
    this.#last.clear();
  }

  #look({ task, token, record }: CommitRequest, by: string): void {
    this.commits++;
    const name = taskName(task);
    const last = this.#last.get(name);
    this.#last.set(name, { record, epoch: token.epoch, by });
    if (!last) return;
    const say = (what: string): void => {
      this.violation ??= `${name}: ${what}\nbefore ${JSON.stringify(last)}\nafter ${JSON.stringify({ record, token })}`;
    };
    if (record.tick !== last.record.tick + 1) say('a tick does not follow the one before');
    if (token.epoch < last.epoch) say('a commit came under an earlier epoch');
    if (token.epoch === last.epoch && by !== last.by) say('two owners commit under one epoch');
    for (const [input, { position, entries }] of Object.entries(last.record.positions)) {
      const now = record.positions[input];
      if (!now || comparePositions(now.position, position) < 0 || now.entries < entries)
        say(`the position of ${input} moved back`);
    }
    for (const [log, position] of Object.entries(last.record.frontier))
      if (!record.frontier[log] || comparePositions(record.frontier[log], position) < 0)
        say(`the frontier of ${log} moved back`);
  }
}
