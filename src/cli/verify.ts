import type { VerifyStatus } from '../runtime/rebuilds.js';
import { counted } from '../errors/counted.js';
import { type Output } from './output.js';
import { segment, ServiceClient } from './service-client.js';

const POLL_MS = 500;
/** Over how many looks a rate is taken. */
const LOOKS_MAX = 12;

const FINISHED: readonly VerifyStatus['state'][] = ['equal', 'different', 'failed', 'cancelled'];

/** Exits with 0 only where the replay equals the live view. */
export async function verify(output: Output, view: string): Promise<number> {
  const service = new ServiceClient();
  const { body, headers } = await service.post(`/views/${segment(view)}/verifications`);
  let status: VerifyStatus = body;
  const location = headers.get('location') ?? `/verifications/${segment(status.id)}`;
  const looks: { at: number; done: number }[] = [];
  while (!FINISHED.includes(status.state)) {
    looks.push({ at: performance.now(), done: status.entriesDone });
    if (looks.length > LOOKS_MAX) looks.shift();
    output.progress(progressText(status, looks));
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    status = await service.get(location);
  }
  output.result(status, verdictText(status));
  return status.state === 'equal' ? 0 : 1;
}

function progressText(status: VerifyStatus, looks: readonly { at: number; done: number }[]): string {
  const [first, last] = [looks[0]!, looks.at(-1)!];
  const rate = last.at > first.at ? Math.round(((last.done - first.done) * 1_000) / (last.at - first.at)) : 0;
  const rest = status.entriesTotal - status.entriesDone;
  return [
    status.id,
    status.state,
    `${status.entriesDone.toLocaleString('en')} of ${counted(status.entriesTotal, 'entry', 'entries')}`,
    ...(rate > 0 ? [`${rate.toLocaleString('en')}/s`, `${Math.ceil(rest / rate)} s left`] : []),
  ].join('  ');
}

function verdictText(status: VerifyStatus): string {
  const { view, live, replayed } = status;
  if (status.state === 'failed' || status.state === 'cancelled')
    return `The verification of "${view}" ${status.state === 'failed' ? 'failed' : 'was cancelled'}${status.reason ? `: ${status.reason}` : '.'}`;
  const side = (name: string, of: VerifyStatus['live']): string =>
    `  ${name}  generation ${of?.generation}  ${counted(of?.rows ?? 0, 'row')}  checksum ${of?.checksum}`;
  const sides = `${side('live    ', live)}\n${side('replayed', replayed)}\n  at        ${status.frontier}`;
  if (status.state === 'equal') return `A replay of "${view}" equals the live view.\n${sides}`;
  // Else two equal checksums stand over rows that differ, and nobody can tell why.
  const cause =
    live?.checksum === replayed?.checksum && live?.rows === replayed?.rows
      ? '\nWhat the commits counted is the same: rows were changed or deleted in Redis by something else.'
      : '';
  const rows = status.differences.map(
    ({ key, live: before, replayed: after }) =>
      `  ${key}\n    live      ${rowText(before)}\n    replayed  ${rowText(after)}`,
  );
  return `A replay of "${view}" differs from the live view.\n${sides}${cause}\nThe first rows that differ (${status.differences.length}):\n${rows.join('\n')}`;
}

const rowText = (row: unknown): string => (row === null ? '(no row)' : JSON.stringify(row));
