import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Which server belongs to a data directory: `<data>/embedded-redis.json`. Written before the server is started, when
 * only its port is known, and again when it has answered: a process that dies in between leaves a record by which the
 * next one finds the server, so that two never write the same append-only file.
 */
export interface OwnershipRecord {
  readonly port: number;
  /** The server's working directory, absolute. */
  readonly directory: string;
  readonly binary: string;
  /** Null until the server has answered. */
  readonly pid: number | null;
  readonly runId: string | null;
}

const FILE = 'embedded-redis.json';

/** The record of a data directory; null where there is none, or none that can be read. */
export function readOwnership(dataDirectory: string): OwnershipRecord | null {
  try {
    const record = JSON.parse(readFileSync(join(dataDirectory, FILE), 'utf8')) as OwnershipRecord;
    return Number.isInteger(record.port) && typeof record.directory === 'string' ? record : null;
  } catch {
    return null;
  }
}

export function writeOwnership(dataDirectory: string, record: OwnershipRecord): void {
  mkdirSync(dataDirectory, { recursive: true });
  const draft = join(dataDirectory, `${FILE}.${process.pid}`);
  writeFileSync(draft, `${JSON.stringify(record, null, 2)}\n`);
  renameSync(draft, join(dataDirectory, FILE));
}
