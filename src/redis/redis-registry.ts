import { Registry, type Generation, type RegistrySnapshot } from '../runtime/ports/registry.js';
import type { RedisConnections } from './connections.js';
import type { Keyspace } from './keyspace.js';
import { answered } from './replies.js';
import { callChangeRegistry, callRegister } from './scripts/call.js';

const GENERATION = 'generation:';
const NUMBER = 'number:';
const fieldOf = (view: string, number: number): string => `${GENERATION}${view}#${number}`;

/**
 * The registry in one hash:
 *
 *   revision                    rises with every change
 *   release                     number of the newest release
 *   release:<identity>          number of this release
 *   generation:<view>#<number>  a generation as JSON
 *   number:<view>               the highest number ever given to a generation of this view, also when all are gone
 *   archived                    1 where what is trimmed goes into an archive
 */
export class RedisRegistry extends Registry {
  constructor(
    readonly connections: RedisConnections,
    readonly keyspace: Keyspace,
  ) {
    super();
  }

  register(release: string): Promise<number> {
    return answered(
      'Registering a release',
      async () => (await callRegister(this.connections.control, this.keyspace.registry, release))[1],
    );
  }

  read(): Promise<RegistrySnapshot> {
    return answered('Reading the registry', async () => {
      const fields = await this.connections.control.hgetall(this.keyspace.registry);
      const generations = Object.keys(fields)
        .filter((field) => field.startsWith(GENERATION))
        .map((field) => JSON.parse(fields[field]!) as Generation)
        .sort((left, right) =>
          left.view < right.view ? -1 : left.view > right.view ? 1 : left.number - right.number,
        );
      return {
        revision: Number(fields.revision ?? 0),
        release: Number(fields.release ?? 0),
        archived: fields.archived === '1',
        generations,
        numbers: Object.fromEntries(
          Object.keys(fields)
            .filter((field) => field.startsWith(NUMBER))
            .map((field) => [field.slice(NUMBER.length), Number(fields[field])]),
        ),
      };
    });
  }

  change(
    revision: number,
    puts: readonly Generation[],
    removes: readonly { view: string; number: number }[],
    archived?: boolean,
  ): Promise<number | null> {
    return answered('Changing the registry', async () => {
      const [tag, now] = await callChangeRegistry(this.connections.control, this.keyspace.registry, {
        revision,
        puts: [
          ...puts.map(
            (generation) =>
              [fieldOf(generation.view, generation.number), JSON.stringify(generation)] as const,
          ),
          ...(archived === undefined ? [] : [['archived', archived ? '1' : '0'] as const]),
        ],
        removes: removes.map(({ view, number }) => fieldOf(view, number)),
      });
      return tag === 'CHANGED' ? now : null;
    });
  }
}
