import type { TaskStore } from '../../runtime/ports/task-store.js';
import type { MemoryRedis } from '../memory/memory-redis.js';
import type { Random } from '../random.js';
import type { FaultSource } from './faulty-ports.js';
import type { SimulatedWorkers } from './simulated-workers.js';

/** How often they do: in most runs never, for whose commit did waits for the end. */
const RATES = [0, 0, 0, 0, 0.01];
const WRITES_MAX = 12;

/** Commits that break off after some of their writes while there is trouble. */
export class BreakingOff {
  constructor(
    redis: MemoryRedis,
    readonly random: Random,
    readonly faults: FaultSource,
    readonly workers: SimulatedWorkers,
  ) {
    const rate = random.of(RATES);
    redis.breaksOff = () => (!faults.areOver && random.chance(rate) ? random.below(WRITES_MAX) : null);
  }

  /** One did that was sent through a store, or was sent behind one that did. Whoever sent it may never hear of it. */
  brokeOff(store: TaskStore): void {
    if (!this.faults.areOver && this.random.chance(0.5)) this.workers.killWhoHas(store);
  }
}
