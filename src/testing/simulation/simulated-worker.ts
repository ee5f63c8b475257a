import { Catalog } from '../../runtime/catalog.js';
import { deploy } from '../../runtime/deployment.js';
import type { Limits } from '../../runtime/limits.js';
import { silent } from '../../runtime/logger.js';
import { Parts } from '../../runtime/parts.js';
import type { Ports } from '../../runtime/ports/ports.js';
import type { ViewDeclaration } from '../../view/declarations.js';
import { faultyPort, type FaultSource } from './faulty-ports.js';
import type { SimulatedProcess } from './simulated-process.js';

/** The runtime of one process, over connections on which things go wrong. */
export class SimulatedWorker {
  readonly parts: Parts;

  constructor(
    readonly process: SimulatedProcess,
    ports: Ports,
    faults: FaultSource,
    views: readonly ViewDeclaration[],
    limits: Limits,
    nonce: () => string,
  ) {
    const faulty = <P extends object>(port: P): P => faultyPort(port, process, faults);
    this.parts = new Parts({
      id: process.name,
      ports: {
        log: faulty(ports.log),
        tasks: faulty(ports.tasks),
        views: faulty(ports.views),
        registry: faulty(ports.registry),
        workers: faulty(ports.workers),
      },
      catalog: new Catalog(views),
      clock: process.clock,
      logger: () => silent,
      limits,
      nonce,
    });
  }

  /** As a process starts: what fails is tried again. */
  async start(): Promise<void> {
    const { registry, catalog, worker } = this.parts;
    await this.#insist(() => registry.start());
    await this.#insist(() => deploy(catalog, { ...this.parts, logger: silent }));
    worker.start();
  }

  stop(): Promise<void> {
    return this.parts.worker.stop();
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
