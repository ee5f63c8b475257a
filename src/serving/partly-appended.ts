import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import type { RecordSource } from '../runtime/placement.js';
import type { Position } from '../runtime/position.js';
import type { AppendPart } from './append-parts.js';

/** What became of a part. `unknown`: no answer came, and the entries may be there. `notTried`: another part had failed. */
export type PartOutcome =
  | { readonly status: 'appended'; readonly ids: readonly Position[]; readonly repeated: boolean }
  | { readonly status: 'refused' | 'unknown'; readonly thrown: unknown }
  | { readonly status: 'notTried' };

/** Errors after which entries may be there: no answer came, or the script itself failed. */
const UNKNOWN = new Set(['append-outcome-unknown', 'redis-error']);

export const failedWith = (thrown: unknown): PartOutcome => ({
  status: thrown instanceof StillwaterError && !UNKNOWN.has(thrown.code) ? 'refused' : 'unknown',
  thrown,
});

/** A part as it is told to the sender. */
export interface ToldPart {
  /** Of the partition. */
  readonly redisKey: string;
  /** Places in the request. */
  readonly indexes: readonly number[];
  readonly status: PartOutcome['status'];
  /** Of what was appended, in the order of `indexes`. */
  readonly ids?: readonly Position[];
  /** Why it was refused, or why nothing is known. */
  readonly reason?: string;
}

/** A request that came through in some of its parts and not in all, or perhaps so. */
export class PartlyAppended extends StillwaterError {
  override readonly name = 'PartlyAppended';
  readonly partitions: readonly ToldPart[];

  constructor(
    source: RecordSource,
    outcomes: readonly (readonly [AppendPart, PartOutcome])[],
    repeatable: boolean,
  ) {
    const recordsOf = (some: typeof outcomes): number =>
      some.reduce((sum, [{ indexes }]) => sum + indexes.length, 0);
    const appended = recordsOf(outcomes.filter(([, { status }]) => status === 'appended'));
    super(appended > 0 ? 'partly-appended' : 'append-outcome-unknown', {
      what: `Of ${recordsOf(outcomes)} records for the ${source.kind} "${source.name}" ${appended} were appended for certain, not all.`,
      evidence: outcomes
        .map(([{ redisKey, indexes }, outcome]) => `  ${redisKey}  ${indexes.length}  ${wordsOf(outcome)}`)
        .join('\n'),
      consequence:
        'What has ids is in the stream, what is unknown may be, and of all else nothing was appended.',
      remedy: repeatable
        ? 'Repeat the request with the same Idempotency-Key: what is missing is appended, and nothing twice.'
        : 'Send again what is not in the stream; with an Idempotency-Key the whole request could be repeated.',
    });
    this.partitions = outcomes.map(([{ redisKey, indexes }, outcome]) => ({
      redisKey,
      indexes,
      status: outcome.status,
      ...('ids' in outcome && { ids: outcome.ids }),
      ...('thrown' in outcome && { reason: messageOf(outcome.thrown) }),
    }));
  }
}

function wordsOf(outcome: PartOutcome): string {
  if (outcome.status === 'appended') return `appended, the last as ${outcome.ids.at(-1)}`;
  if (outcome.status === 'notTried') return 'not tried';
  const { thrown } = outcome;
  const reason = thrown instanceof StillwaterError ? thrown.parts.evidence?.trim() : messageOf(thrown);
  return `${outcome.status}: ${reason}`;
}
