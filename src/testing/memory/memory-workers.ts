import { type LiveWorkers, Workers, type WorkerInfo } from '../../runtime/ports/workers.js';
import { stored, type MemoryRedis } from './memory-redis.js';

/** Who is alive, in memory: one object for each process, all over one `MemoryRedis`. */
export class MemoryWorkers extends Workers {
  constructor(readonly redis: MemoryRedis) {
    super();
  }

  async renew(worker: WorkerInfo, leaseMs: number): Promise<LiveWorkers> {
    this.redis.workers.set(worker.id, { worker: stored(worker), until: this.redis.clock.now() + leaseMs });
    return this.live();
  }

  async leave(id: string): Promise<void> {
    this.redis.workers.delete(id);
  }

  async live(): Promise<LiveWorkers> {
    const now = this.redis.clock.now();
    for (const [id, { until }] of this.redis.workers) if (until <= now) this.redis.workers.delete(id);
    const live = [...this.redis.workers.values()]
      .map(({ worker }) => worker)
      .sort((left, right) => (left.id < right.id ? -1 : 1));
    return { live, now };
  }

  async announce(): Promise<void> {
    for (const { of, listener } of [...this.redis.listeners]) if (of !== this) listener();
  }

  onAnnouncement(listener: () => void): () => void {
    const own = { of: this, listener };
    this.redis.listeners.add(own);
    return () => void this.redis.listeners.delete(own);
  }
}
