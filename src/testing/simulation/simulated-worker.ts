import { pure } from '../../circuit/pure.js';
import { Catalog } from '../../runtime/catalog.js';
import { Code } from '../../runtime/code.js';
import { deploy } from '../../runtime/deployment.js';
import type { Limits } from '../../runtime/limits.js';
import { silent } from '../../runtime/logger.js';
import { Metrics } from '../../runtime/metrics.js';
import type { Registry } from '../../runtime/ports/registry.js';
import type { SourceLog } from '../../runtime/ports/source-log.js';
import type { TaskStore } from '../../runtime/ports/task-store.js';
import type { ViewStore } from '../../runtime/ports/view-store.js';
import type { Workers } from '../../runtime/ports/workers.js';
import { Rebuilder } from '../../runtime/rebuilder.js';
import { RegistryWatch } from '../../runtime/registry-watch.js';
import { Worker } from '../../runtime/worker.js';
import type { ViewDeclaration } from '../../view/plan.js';
import { faultyPort, type FaultSource } from './faulty-ports.js';
import type { SimulatedProcess } from './simulated-process.js';

export interface Ports {
  readonly log: SourceLog;
  readonly tasks: TaskStore;
  readonly views: ViewStore;
  readonly registry: Registry;
  readonly workers: Workers;
}

/** The runtime of one process, over connections on which things go wrong. */
export class SimulatedWorker {
  readonly registry: RegistryWatch;
  readonly rebuilder: Rebuilder;
  readonly metrics = new Metrics();
  readonly #worker: Worker;
  readonly #deployment: () => Promise<unknown>;

  constructor(
    readonly process: SimulatedProcess,
    ports: Ports,
    faults: FaultSource,
    views: readonly ViewDeclaration[],
    limits: Limits,
    nonce: () => string,
  ) {
    const { clock } = process;
    const [log, tasks, stored, records, workers] = [
      faultyPort(ports.log, process, faults),
      faultyPort(ports.tasks, process, faults),
      faultyPort(ports.views, process, faults),
      faultyPort(ports.registry, process, faults),
      faultyPort(ports.workers, process, faults),
    ];
    const code = new Code();
    const catalog = new Catalog(views);
    const registry = new RegistryWatch(records, workers, clock, limits.registryRefreshMs, silent);
    this.registry = registry;
    this.rebuilder = new Rebuilder({ catalog: () => catalog, registry, tasks, log, code, clock, limits });
    this.#worker = new Worker({
      id: process.name,
      code,
      registry,
      workers,
      tasks,
      views: stored,
      log,
      limits,
      metrics: this.metrics,
      clock,
      logger: silent,
      nonce,
      step: pure,
    });
    this.#deployment = () => deploy(catalog, { registry, code, clock, logger: silent });
  }

  /** As a process starts: what fails is tried again. */
  async start(): Promise<void> {
    await this.#insist(() => this.registry.start());
    await this.#insist(this.#deployment);
    this.#worker.start();
  }

  stop(): Promise<void> {
    return this.#worker.stop();
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
