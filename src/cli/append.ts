import { createHash, randomUUID } from 'node:crypto';
import { open as openFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { counted } from '../errors/counted.js';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import { type Output } from './output.js';
import { segment, ServiceClient } from './service-client.js';
import { ServiceProblem } from './service-problem.js';

/** What one request carries at the most. */
const LINES_MAX = 1_000;
const BYTES_MAX = 4 * 1024 * 1024;

interface Batch {
  /** Where it begins in the file. */
  offset: number;
  lines: string[];
  /** The number of each line in the file, from 1. */
  numbers: number[];
  bytes: number;
}

/**
 * Appends the lines of a file. Each batch carries an idempotency key made of the stream, the file, where the batch begins
 * and what it says: a request whose answer was lost is repeated, and a whole command that was cut can be, without an
 * event being there twice. Stops at the first event that is refused, and says its line.
 */
export async function append(
  output: Output,
  stream: string,
  file: string,
  { again }: { again: boolean },
): Promise<void> {
  const service = new ServiceClient();
  const input = await open(file);
  const origin = file === '-' || again ? randomUUID() : resolve(file);
  let appended = 0;
  let repeated = 0;
  let position: string | null = null;
  for await (const batch of batchesOf(input.stream)) {
    const body = `${batch.lines.join('\n')}\n`;
    const key = createHash('sha256')
      .update(JSON.stringify([stream, origin, batch.offset]))
      .update(body)
      .digest('hex');
    try {
      const answer = await service.post(`/streams/${segment(stream)}/events`, {
        body,
        contentType: 'application/x-ndjson',
        headers: { 'idempotency-key': key },
        repeatable: true,
      });
      position = answer.body?.position ?? position;
      if (answer.headers.get('idempotency-replayed') === 'true') repeated += batch.lines.length;
      else appended += batch.lines.length;
    } catch (thrown) {
      throw refused(thrown, batch, file);
    }
    const share = input.bytes ? `${Math.floor(((batch.offset + batch.bytes) * 100) / input.bytes)} %  ` : '';
    output.progress(`${share}${counted(appended + repeated, 'event')}`);
  }
  // Nothing was sent, so that nobody has said yet whether there is such a stream.
  if (appended + repeated === 0) await service.get(`/streams/${segment(stream)}`);
  const there =
    repeated > 0
      ? ` ${repeated.toLocaleString('en')} ${repeated === 1 ? 'was' : 'were'} there already (--again appends them anew).`
      : '';
  output.result(
    { stream, appended, repeated, position },
    `Appended ${counted(appended, 'event')} to "${stream}".${there}`,
  );
}

async function open(file: string): Promise<{ stream: Readable; bytes: number | null }> {
  if (file === '-') return { stream: process.stdin, bytes: null };
  try {
    const handle = await openFile(file);
    const found = await handle.stat();
    if (found.isDirectory()) throw new Error('It is a directory.');
    return { stream: handle.createReadStream(), bytes: found.isFile() ? found.size : null };
  } catch (thrown) {
    throw new StillwaterError('wrong-argument', {
      what: `The file ${file} cannot be read.`,
      evidence: `  ${messageOf(thrown)}`,
      consequence: 'Nothing was appended.',
      remedy: 'Name a file with one JSON object a line, or - for stdin.',
    });
  }
}

async function* batchesOf(input: Readable): AsyncIterable<Batch> {
  let offset = 0;
  let number = 0;
  let batch: Batch = { offset, lines: [], numbers: [], bytes: 0 };
  for await (const line of createInterface({ input, crlfDelay: Infinity })) {
    const bytes = Buffer.byteLength(line) + 1;
    number++;
    if (batch.lines.length > 0 && (batch.lines.length >= LINES_MAX || batch.bytes + bytes > BYTES_MAX)) {
      yield batch;
      batch = { offset, lines: [], numbers: [], bytes: 0 };
    }
    offset += bytes;
    batch.bytes += bytes;
    if (line.trim() === '') continue;
    batch.lines.push(line);
    batch.numbers.push(number);
  }
  if (batch.lines.length > 0) yield batch;
}

/** The service's error in the words of the file: lines instead of places in a request. */
function refused(thrown: unknown, batch: Batch, file: string): unknown {
  const first = batch.numbers[0]!;
  const before =
    first === 1
      ? 'Nothing was appended.'
      : `The lines before ${first} were appended, this and what follows were not.`;
  const notJson = batch.lines.findIndex((line) => !isJson(line));
  if (notJson >= 0)
    return invalid(
      `Line ${batch.numbers[notJson]} of ${file} is not JSON.`,
      `  ${batch.lines[notJson]!.slice(0, 200)}`,
      before,
    );
  const issues: unknown = thrown instanceof ServiceProblem ? thrown.problem.invalid : null;
  if (!Array.isArray(issues) || issues.length === 0) return thrown;
  const told = issues
    .slice(0, 20)
    .map(
      ({ index, path, message }) =>
        `  line ${batch.numbers[index] ?? '?'}  ${[path, message].filter(Boolean).join('  ')}`,
    );
  return invalid(
    `Line ${batch.numbers[issues[0].index] ?? first} of ${file} is not an event of this stream.`,
    told.join('\n'),
    before,
  );
}

const invalid = (what: string, evidence: string, consequence: string): StillwaterError =>
  new StillwaterError('invalid-events', {
    what,
    evidence,
    consequence,
    remedy: 'Correct the file and give the same command again: what is there is not appended twice.',
  });

function isJson(line: string): boolean {
  try {
    JSON.parse(line);
    return true;
  } catch {
    return false;
  }
}
