import { tasksOf } from '../../runtime/assignment.js';
import type { LiveWorkers, WorkerInfo } from '../../runtime/ports/workers.js';
import { taskName } from '../../runtime/task-id.js';
import { hash32 } from '../../zset/checksum.js';
import { MemoryWorkers } from '../memory/memory-workers.js';

/** So long tasks cost the same; then other ones are dear. */
const DEAR_MS = 3_000;
const COST_MAX = 400;

/** Workers whose tasks seem to cost much, each time others, so that they move all the time: in a simulation no work takes any time. */
export class DearWorkers extends MemoryWorkers {
  override renew(worker: WorkerInfo, leaseMs: number): Promise<LiveWorkers> {
    const { clock, registry } = this.redis;
    const time = Math.floor(clock.now() / DEAR_MS);
    const costs = Object.fromEntries(
      tasksOf([...registry.generations.values()]).map(({ id }) => [
        taskName(id),
        hash32(`${time} ${taskName(id)}`) % COST_MAX,
      ]),
    );
    return super.renew({ ...worker, costs }, leaseMs);
  }
}
