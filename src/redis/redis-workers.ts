import { randomUUID } from 'node:crypto';
import { type LiveWorkers, Workers, type WorkerInfo } from '../runtime/ports/workers.js';
import type { RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';
import { answered, refusalOf } from './replies.js';
import { callKnownWorkers, callRenew, type RenewReply } from './scripts/call.js';

/** Who is alive, in one hash, by Redis's clock; announcements on one channel. */
export class RedisWorkers extends Workers {
  readonly #self = randomUUID();
  readonly #listeners = new Set<() => void>();
  #subscribed = false;

  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
  ) {
    super();
  }

  renew(worker: WorkerInfo, leaseMs: number): Promise<LiveWorkers> {
    return answered('Renewing the lease of this worker', async () =>
      decode(
        await callRenew(this.connections.control, this.keyspace.workers, {
          id: worker.id,
          info: JSON.stringify(worker),
          leaseMs,
        }),
      ),
    );
  }

  async leave(id: string): Promise<void> {
    await answered('Leaving', () => this.connections.control.hdel(this.keyspace.workers, id));
  }

  live(): Promise<LiveWorkers> {
    const { connections, keyspace } = this;
    return answered('Looking who is alive', async () => {
      try {
        return decode(
          await callRenew(connections.control, keyspace.workers, { id: '', info: '', leaseMs: 0 }),
        );
      } catch (thrown) {
        const refused = refusalOf(thrown);
        if (refused === null) throw thrown;
        const known = (): Promise<RenewReply> => callKnownWorkers(connections.control, keyspace.workers);
        // A server that is a replica now has its connection replaced, under the first of them.
        return { ...decode(await known().catch(known)), refused };
      }
    });
  }

  async announce(): Promise<void> {
    await answered('Announcing a change', () =>
      this.connections.control.publish(this.keyspace.announcements, this.#self),
    );
  }

  onAnnouncement(listener: () => void): () => void {
    // One function may listen twice, and stop once.
    const own = (): void => listener();
    this.#listeners.add(own);
    this.#subscribe();
    return () => void this.#listeners.delete(own);
  }

  #subscribe(): void {
    if (this.#subscribed) return;
    this.#subscribed = true;
    const redis = this.connections.announcements;
    redis.on('message', (_channel, sender: string) => {
      if (sender !== this.#self) for (const listener of [...this.#listeners]) listener();
    });
    // With every connection; one that fails is made with the next.
    const subscribe = (): void => void redis.subscribe(this.keyspace.announcements).catch(() => {});
    redis.on('ready', subscribe);
    redis.connect().catch(() => {});
  }
}

function decode([, now, ...rest]: RenewReply): LiveWorkers {
  const live: WorkerInfo[] = [];
  for (let index = 1; index < rest.length; index += 2) live.push(JSON.parse(rest[index]!) as WorkerInfo);
  live.sort((left, right) => (left.id < right.id ? -1 : 1));
  return { live, now };
}
