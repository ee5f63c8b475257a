import { counted } from '../errors/counted.js';
import { StillwaterError } from '../errors/stillwater-error.js';
import { durationText, type Output, table } from './output.js';
import { segment, ServiceClient } from './service-client.js';

interface ListedView {
  name: string;
  state: string;
  generation: number | null;
  rolledBackFrom: number | null;
  waitingFor?: readonly string[];
  waitingForFirst?: readonly { source: string }[];
  rows: number;
  lag: { entries: number | null; ms: number | null };
  errors: number;
  key?: readonly string[];
}

export async function listViews(output: Output): Promise<void> {
  const views: ListedView[] = await new ServiceClient().get('/views');
  const rows = views.map((view) => [
    view.name,
    stateText(view),
    view.generation ?? 0,
    view.rows,
    lagText(view.lag),
    view.errors,
    view.key?.join(', ') ?? '',
  ]);
  output.result(
    views,
    views.length === 0
      ? 'There are no views.'
      : table(['view', 'state', 'generation', 'rows', 'lag', 'errors', 'key'], rows),
  );
}

export async function explain(output: Output, name: string): Promise<void> {
  const view = await new ServiceClient().get(`/views/${segment(name)}`);
  if (typeof view?.explain !== 'string')
    throw new StillwaterError('no-code', {
      what: `The circuit of the view "${name}" is not known to the service that answered.`,
      evidence: `  state  ${view?.state ?? 'unknown'}`,
      consequence: 'Nothing was done.',
      remedy: 'Ask a process that has the code of this view.',
    });
  output.result({ view: name, explain: view.explain }, view.explain);
}

export async function drop(output: Output, name: string): Promise<void> {
  const body: { view: string; dropped: number[] } = await new ServiceClient().delete(
    `/views/${segment(name)}`,
  );
  output.result(
    body,
    `${name} is dropped: ${counted(body.dropped.length, 'generation')}, deleted by a worker.`,
  );
}

function stateText({ state, waitingFor = [], waitingForFirst = [], rolledBackFrom }: ListedView): string {
  const waits = state === 'waiting' && waitingFor.length > 0 ? ` for ${waitingFor.join(', ')}` : '';
  const first = waitingForFirst.map(({ source }) => source).join(', ');
  const empty = first === '' ? '' : `, waits for the first entry of ${first}`;
  return `${state}${waits}${empty}${rolledBackFrom ? `, rolled back from ${rolledBackFrom}` : ''}`;
}

function lagText({ entries, ms }: ListedView['lag']): string {
  if (entries === null) return 'unknown';
  if (entries === 0) return 'none';
  return `${counted(entries, 'entry', 'entries')}${ms === null ? '' : `, ${durationText(ms)}`}`;
}
