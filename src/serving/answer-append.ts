import type { FastifyReply, FastifyRequest } from 'fastify';
import type { EncodedEntry } from '../runtime/encode-record.js';
import type { RecordSource } from '../runtime/placement.js';
import type { Appended, AppendRecords } from './append-records.js';
import { headerOf } from './request-parameters.js';
import { POSITION_HEADER } from './view-responses.js';

/** Appends what a request holds, under its idempotency key, and says so in headers and body. */
export async function answerAppend(
  records: AppendRecords,
  source: RecordSource,
  entries: readonly EncodedEntry[],
  { request, reply }: { request: FastifyRequest; reply: FastifyReply },
): Promise<Pick<Appended, 'position' | 'ids'>> {
  const { position, ids, repeated } = await records.append(
    source,
    entries,
    headerOf(request, 'idempotency-key'),
  );
  void reply.header(POSITION_HEADER, position);
  if (repeated) void reply.header('idempotency-replayed', 'true');
  return { position, ids };
}
