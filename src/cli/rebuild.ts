import type { RebuildStatus } from '../runtime/rebuilds.js';
import { counted } from '../errors/counted.js';
import { durationText, type Output, table } from './output.js';
import { segment, ServiceClient } from './service-client.js';

const POLL_MS = 500;

const FINISHED: readonly RebuildStatus['state'][] = ['promoted', 'cancelled', 'failed'];
/** For somebody to say that it is to serve. */
const WAITING: readonly RebuildStatus['state'][] = ['caughtUp', 'held'];

export async function rebuild(
  output: Output,
  view: string,
  { acceptTrimmed, wait }: { acceptTrimmed: boolean; wait: boolean },
): Promise<number> {
  const service = new ServiceClient();
  const { body, headers } = await service.post(
    `/views/${segment(view)}/rebuilds${acceptTrimmed ? '?acceptTrimmed=true' : ''}`,
  );
  let status: RebuildStatus = body;
  if (!wait) {
    output.result(
      status,
      `${rebuildText(status)}\nIt goes on by itself. Follow it: stillwater rebuilds ${status.id}`,
    );
    return 0;
  }
  const location = headers.get('location') ?? `/rebuilds/${segment(status.id)}`;
  while (![...FINISHED, ...WAITING].includes(status.state)) {
    output.progress(rebuildText(status));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    status = await service.get(location);
  }
  const next = WAITING.includes(status.state)
    ? `\nIt waits to be promoted: stillwater promote ${status.id}`
    : '';
  output.result(status, rebuildText(status) + next);
  return status.state === 'failed' || status.state === 'cancelled' || status.state === 'held' ? 1 : 0;
}

export async function showRebuilds(output: Output, id: string | undefined): Promise<void> {
  const service = new ServiceClient();
  if (id !== undefined) {
    const status: RebuildStatus = await service.get(`/rebuilds/${segment(id)}`);
    return output.result(status, rebuildText(status));
  }
  const statuses: RebuildStatus[] = await service.get('/rebuilds');
  const rows = statuses.map((status) => [
    status.id,
    status.view,
    status.state,
    `${percent(status)} %`,
    new Date(status.startedAt).toISOString(),
    status.reason ?? '',
  ]);
  output.result(
    statuses,
    statuses.length === 0
      ? 'There are no rebuilds.'
      : table(['rebuild', 'view', 'state', 'done', 'asked for', 'reason'], rows),
  );
}

export async function control(
  output: Output,
  id: string,
  step: 'pause' | 'resume' | 'cancel' | 'promote',
): Promise<void> {
  const { body } = await new ServiceClient().post(`/rebuilds/${segment(id)}/${step}`);
  output.result(body, rebuildText(body));
}

/** A verification too: its id says what it is. */
export async function cancel(output: Output, id: string): Promise<void> {
  if (!id.startsWith('verify-')) return control(output, id, 'cancel');
  const { body } = await new ServiceClient().post(`/verifications/${segment(id)}/cancel`);
  output.result(body, `${body.id}  ${body.state}`);
}

export async function rollback(output: Output, view: string): Promise<void> {
  const { body } = await new ServiceClient().post(`/views/${segment(view)}/rollback`);
  const serving: { view: string; generation: number }[] = Array.isArray(body) ? body : (body?.serving ?? []);
  output.result(
    body,
    serving.map((back) => `${back.view} is served from generation ${back.generation} again.`).join('\n'),
  );
}

const percent = ({
  entriesDone,
  entriesTotal,
}: Pick<RebuildStatus, 'entriesDone' | 'entriesTotal'>): number =>
  entriesTotal === 0 ? 0 : Math.floor((entriesDone * 100) / entriesTotal);

/** `rebuild-totals-x  replaying  45 %  1,000 of 2,200 entries  500/s  2 s left`. */
function rebuildText(status: RebuildStatus): string {
  const words = [status.id, status.state === 'caughtUp' ? 'caught up' : status.state];
  if (status.state === 'replaying' || status.entriesTotal > 0)
    words.push(
      `${percent(status)} %`,
      `${status.entriesDone.toLocaleString('en')} of ${counted(status.entriesTotal, 'entry', 'entries')}`,
    );
  if (status.errors > 0) words.push(counted(status.errors, 'error'));
  if (status.entriesPerSecond !== null) words.push(`${status.entriesPerSecond.toLocaleString('en')}/s`);
  if (status.remainingMs !== null && status.state === 'replaying')
    words.push(`${durationText(status.remainingMs)} left`);
  if (status.reason !== null) words.push(status.reason);
  return words.join('  ');
}
