import type { SourceDeclaration } from '../view/plan.js';
import type { Catalog } from './catalog.js';
import type { Clock } from './clock.js';
import type { Code } from './code.js';
import { deploy, type DeploymentResult, edited } from './deployment.js';
import type { Logger } from './logger.js';
import type { RegistryWatch } from './registry-watch.js';
import type { Retention } from './retention.js';
import type { Watchdog } from './watchdog.js';
import type { Worker } from './worker.js';

/** One process's part in maintaining views: what is started and stopped together. */
export class Runtime {
  constructor(
    readonly options: {
      catalog: Catalog;
      registry: RegistryWatch;
      code: Code;
      clock: Clock;
      logger: Logger;
      /** Null in a process that only answers requests. */
      worker: Worker | null;
      retention: Retention | null;
      watchdog: Watchdog | null;
      /** See `DeploymentOptions`. */
      identity: string;
    },
  ) {}

  async start(): Promise<DeploymentResult> {
    const { registry, worker, retention } = this.options;
    await registry.start();
    const result = await deploy(this.options.catalog, this.options);
    worker?.start();
    retention?.start();
    return result;
  }

  /** Other declarations, while running: the old code stays until its generations have been replaced. */
  async redeploy(declarations: readonly SourceDeclaration[]): Promise<DeploymentResult> {
    const { catalog, registry, code, clock } = this.options;
    catalog.replace(declarations);
    // Whoever edits means what was saved last, also where it is what there was before.
    const result = await deploy(catalog, { ...this.options, identity: edited(clock.now()) });
    code.keepOnly(
      [...catalog.views.values(), ...registry.snapshot.generations].map(({ fingerprint }) => fingerprint),
    );
    return result;
  }

  /** Hands the tasks over and lets go of everything. */
  async stop(): Promise<void> {
    const { registry, worker, retention, watchdog } = this.options;
    await retention?.stop();
    await worker?.stop();
    await registry.stop();
    await watchdog?.stop();
  }
}
