import type { SourceDeclaration } from '../../src/view/declarations.js';
import { RedisServer } from './redis-server.js';
import { System, type SystemOptions } from './system.js';

/** A Redis for each test of a block, and the processes that it starts there, all of which end with it. */
export class Systems {
  readonly #running: System[] = [];
  #redis: RedisServer | null = null;

  constructor() {
    beforeEach(async () => {
      this.#redis = await RedisServer.start();
    });
    afterEach(async () => {
      for (const system of this.#running.splice(0)) await system.stop();
      await this.#redis?.stop();
    });
  }

  get redis(): RedisServer {
    return this.#redis!;
  }

  async start(
    declarations: readonly SourceDeclaration[],
    options: Partial<SystemOptions> = {},
  ): Promise<System> {
    const system = await System.start({ url: this.redis.url, declarations, ...options });
    this.#running.push(system);
    return system;
  }

  /** Of a process that does not start as it should: made, and ended with the others. */
  made(declarations: readonly SourceDeclaration[]): System {
    const system = new System({ url: this.redis.url, declarations });
    this.#running.push(system);
    return system;
  }

  async stop(system: System): Promise<void> {
    this.#running.splice(this.#running.indexOf(system), 1);
    await system.stop();
  }
}
