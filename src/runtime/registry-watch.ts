import { messageOf } from '../errors/stillwater-error.js';
import type { Clock } from './clock.js';
import type { Logger } from './logger.js';
import type { Generation, Registry, RegistrySnapshot } from './ports/registry.js';
import type { Workers } from './ports/workers.js';

/**
 * The registry as this process last saw it: read again every `registryRefreshMs`, and when another process announces a
 * change.
 */
export class RegistryWatch {
  #snapshot: RegistrySnapshot = { revision: -1, release: 0, archived: false, generations: [], numbers: {} };
  readonly #listeners = new Set<() => void>();
  readonly #stopped = new AbortController();
  #stopListening: (() => void) | null = null;
  #loop: Promise<void> | null = null;

  constructor(
    readonly registry: Registry,
    readonly workers: Workers,
    readonly clock: Clock,
    readonly refreshMs: number,
    readonly logger: Logger,
  ) {}

  get snapshot(): RegistrySnapshot {
    return this.#snapshot;
  }

  generation(view: string, number: number): Generation | null {
    return (
      this.#snapshot.generations.find(
        (generation) => generation.view === view && generation.number === number,
      ) ?? null
    );
  }

  serving(view: string): Generation | null {
    return (
      this.#snapshot.generations.find(
        (generation) => generation.view === view && generation.state === 'serving',
      ) ?? null
    );
  }

  async start(): Promise<void> {
    await this.refresh();
    this.#stopListening = this.workers.onAnnouncement(() => void this.refresh().catch(() => {}));
    this.#loop = this.#run();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#stopListening?.();
    await this.#loop;
  }

  /** Called after every change of the snapshot. Returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async refresh(): Promise<RegistrySnapshot> {
    const snapshot = await this.registry.read();
    if (snapshot.revision !== this.#snapshot.revision || snapshot.release !== this.#snapshot.release) {
      this.#snapshot = snapshot;
      for (const listener of this.#listeners) listener();
    }
    return this.#snapshot;
  }

  /**
   * Changes the registry: `decide` is asked what to do on what there is now, and again if somebody else was quicker.
   * Null from `decide` changes nothing.
   */
  async change(
    decide: (now: RegistrySnapshot) => {
      puts: Generation[];
      removes?: { view: string; number: number }[];
      archived?: boolean;
    } | null,
  ): Promise<void> {
    for (;;) {
      const now = await this.registry.read();
      const decision = decide(now);
      if (decision === null) return void (await this.refresh());
      const { puts, removes = [], archived } = decision;
      if (puts.length === 0 && removes.length === 0 && archived === undefined)
        return void (await this.refresh());
      if ((await this.registry.change(now.revision, puts, removes, archived)) === null) continue;
      await this.refresh();
      await this.workers.announce();
      return;
    }
  }

  async #run(): Promise<void> {
    let complained = false;
    while (!this.#stopped.signal.aborted) {
      await this.clock.sleep(this.refreshMs, this.#stopped.signal);
      if (this.#stopped.signal.aborted) return;
      try {
        await this.refresh();
        complained = false;
      } catch (thrown) {
        if (!complained)
          this.logger.warn(
            `The registry could not be read: ${messageOf(thrown)}. It is tried again every ${this.refreshMs} ms.`,
          );
        complained = true;
      }
    }
  }
}
