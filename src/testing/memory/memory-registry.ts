import { Registry, type Generation, type RegistrySnapshot } from '../../runtime/ports/registry.js';
import { stored, type MemoryRedis } from './memory-redis.js';

/** The registry in memory. */
export class MemoryRegistry extends Registry {
  constructor(readonly redis: MemoryRedis) {
    super();
  }

  async register(release: string): Promise<number> {
    const { registry } = this.redis;
    let number = registry.releases.get(release);
    if (number === undefined) {
      if (release.startsWith('~'))
        for (const other of registry.releases.keys())
          if (other.startsWith('~')) registry.releases.delete(other);
      number = registry.release += 1;
      registry.releases.set(release, number);
      this.#revise();
    }
    return number;
  }

  async read(): Promise<RegistrySnapshot> {
    const { revision, release, archived, generations, numbers } = this.redis.registry;
    const sorted = [...generations.values()].sort((left, right) =>
      left.view < right.view ? -1 : left.view > right.view ? 1 : left.number - right.number,
    );
    return { revision, release, archived, generations: sorted, numbers: Object.fromEntries(numbers) };
  }

  async change(
    revision: number,
    puts: readonly Generation[],
    removes: readonly { view: string; number: number }[],
    archived?: boolean,
  ): Promise<number | null> {
    const { registry } = this.redis;
    if (registry.revision !== revision) return null;
    for (const generation of puts) {
      const { view, number } = generation;
      registry.generations.set(`${view}#${number}`, stored(generation));
      registry.numbers.set(view, Math.max(registry.numbers.get(view) ?? 0, number));
    }
    for (const { view, number } of removes) registry.generations.delete(`${view}#${number}`);
    registry.archived = archived ?? registry.archived;
    return this.#revise();
  }

  #revise(): number {
    const { registry, clock } = this.redis;
    return (registry.revision = Math.max(registry.revision + 1, clock.now()));
  }
}
