import { Catalog } from '../../runtime/catalog.js';
import { deploy } from '../../runtime/deployment.js';
import type { Limits } from '../../runtime/limits.js';
import { type Logger, silent } from '../../runtime/logger.js';
import { Parts } from '../../runtime/parts.js';
import type { Ports } from '../../runtime/ports/ports.js';
import type { TaskStore } from '../../runtime/ports/task-store.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { faultyPort, type FaultSource } from './faulty-ports.js';
import type { SimulatedArchive } from './simulated-archive.js';
import type { SimulatedProcess } from './simulated-process.js';

export interface SimulatedWorkerOptions {
  readonly process: SimulatedProcess;
  readonly ports: Ports;
  readonly faults: FaultSource;
  readonly views: readonly ViewDeclaration[];
  readonly limits: Limits;
  readonly nonce: () => string;
  /** Where there is one it trims streams, too. */
  readonly archive?: SimulatedArchive | null;
  /** By default nothing is said. */
  readonly logger?: Logger;
}

/** The runtime of one process, over connections on which things go wrong. */
export class SimulatedWorker {
  readonly process: SimulatedProcess;
  readonly parts: Parts;
  /** What it reaches over its connections. */
  readonly tasks: TaskStore;
  readonly #trims: boolean;

  constructor({
    process,
    ports,
    faults,
    views,
    limits,
    nonce,
    archive = null,
    logger = silent,
  }: SimulatedWorkerOptions) {
    const faulty = <P extends object>(port: P): P => faultyPort(port, process, faults);
    this.process = process;
    this.tasks = ports.tasks;
    this.#trims = archive !== null;
    this.parts = new Parts({
      id: process.name,
      ports: {
        log: archive === null ? faulty(ports.log) : archive.over(ports.log, process.clock, faulty),
        tasks: faulty(ports.tasks),
        views: faulty(ports.views),
        registry: faulty(ports.registry),
        workers: faulty(ports.workers),
      },
      catalog: new Catalog(views),
      clock: process.clock,
      logger: () => logger,
      limits,
      nonce,
    });
  }

  /** As a process starts: what fails is tried again. */
  async start(): Promise<void> {
    const { registry, catalog, worker, retention } = this.parts;
    await this.#insist(() => registry.start());
    await this.#insist(() => deploy(catalog, { ...this.parts, logger: silent }));
    worker.start();
    if (this.#trims) retention.start();
  }

  async stop(): Promise<void> {
    if (this.#trims) await this.parts.retention.stop();
    await this.parts.worker.stop();
  }

  async #insist(attempt: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await attempt();
        return;
      } catch {
        await this.process.clock.sleep(50);
      }
    }
  }
}
