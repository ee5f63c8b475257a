import type { Logger } from '../logger.js';
import type { SourceLog } from '../ports/source-log.js';
import type { RegistryWatch } from '../registry-watch.js';
import { ArchivedLog } from './archived-log.js';

/**
 * Says in the registry, once, that what is trimmed goes into the archive that this process has: from then on nobody without one
 * trims, and a place without its mark is one that cannot be reached, and not an empty archive.
 * @throws StillwaterError `archive-unreachable`
 */
export async function beginArchive({
  log,
  registry,
  logger,
}: {
  log: SourceLog;
  registry: RegistryWatch;
  logger: Logger;
}): Promise<void> {
  const archived = ArchivedLog.in(log);
  if (archived === null || registry.snapshot.archived) return;
  await archived.archive.store.begin();
  await registry.change((now) => (now.archived ? null : { puts: [], archived: true }));
  logger.info('What is trimmed from streams goes into the archive from now on.');
}

/** There is no archive any more: what is trimmed is gone, and processes without one may trim. */
export async function giveUpArchive({
  registry,
  logger,
}: {
  registry: RegistryWatch;
  logger: Logger;
}): Promise<void> {
  if (!registry.snapshot.archived) return;
  await registry.change((now) => (now.archived ? { puts: [], archived: false } : null));
  logger.warn('The archive is given up: what is trimmed from streams from now on is gone.');
}
