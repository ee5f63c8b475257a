import type { SourceDeclaration } from '../view/declarations.js';
import { beginArchive, giveUpArchive } from './archive/begin-archive.js';
import { deploy, type DeploymentResult, edited } from './deployment.js';
import type { Logger } from './logger.js';
import type { Parts } from './parts.js';
import type { Watchdog } from './watchdog.js';

export interface RuntimeParts {
  readonly parts: Parts;
  /** Null in a process that only answers requests: it maintains nothing. */
  readonly watchdog: Watchdog | null;
  readonly logger: Logger;
  /** It is said that there is no archive any more; by default nothing is said. */
  readonly archive?: 'none';
  /** See `DeploymentOptions`. */
  readonly identity: string;
}

/** One process's part in maintaining views: what is started and stopped together. */
export class Runtime {
  constructor(readonly options: RuntimeParts) {}

  async start(): Promise<DeploymentResult> {
    const { parts, watchdog, logger } = this.options;
    await parts.registry.start();
    if (this.options.archive === 'none') await giveUpArchive({ registry: parts.registry, logger });
    else await beginArchive({ registry: parts.registry, log: parts.log, logger });
    const result = await this.#deploy(this.options.identity);
    if (watchdog) {
      parts.worker.start();
      parts.retention.start();
    }
    return result;
  }

  /** Other declarations, while running: the old code stays until its generations have been replaced. */
  async redeploy(declarations: readonly SourceDeclaration[]): Promise<DeploymentResult> {
    const { catalog, registry, code, clock } = this.options.parts;
    catalog.replace(declarations);
    // Whoever edits means what was saved last, also where it is what there was before.
    const result = await this.#deploy(edited(clock.now()));
    code.keepOnly(
      [...catalog.views.values(), ...registry.snapshot.generations].map(({ fingerprint }) => fingerprint),
    );
    return result;
  }

  /** Hands the tasks over and lets go of everything. */
  async stop(): Promise<void> {
    const { parts, watchdog } = this.options;
    if (watchdog) {
      await parts.retention.stop();
      await parts.worker.stop();
    }
    await parts.registry.stop();
    await watchdog?.stop();
  }

  #deploy(identity: string): Promise<DeploymentResult> {
    const { parts, logger } = this.options;
    return deploy(parts.catalog, { ...parts, logger, identity });
  }
}
