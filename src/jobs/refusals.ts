import { StillwaterError } from '../errors/stillwater-error.js';
import type { Generation } from '../runtime/ports/registry.js';
import type { RebuildStatus, VerifyStatus } from '../runtime/rebuilds.js';

/** What is not done, and why: one function for each refusal of `BullRebuilds`. */

export const unknownView = (view: string, views: readonly string[]): StillwaterError =>
  new StillwaterError('unknown-view', {
    what: `There is no view ${JSON.stringify(view)}.`,
    evidence: `  views  ${views.join(', ') || 'none'}`,
    consequence: 'Nothing was started.',
    remedy: 'GET /views lists them.',
  });

export const notDeclared = (view: string): StillwaterError =>
  new StillwaterError('no-code', {
    what: `The view ${JSON.stringify(view)} is not declared by the process that was asked: it is served as it was.`,
    consequence: 'Nothing was started.',
    remedy: `Ask a process that declares it, declare it again, or drop it: stillwater drop ${view}`,
  });

export const unknownRebuild = (id: string, kept: number): StillwaterError =>
  new StillwaterError('unknown-rebuild', {
    what: `There is no rebuild ${JSON.stringify(id)}.`,
    evidence: `  kept  the newest ${kept} that finished`,
    consequence: 'Nothing was done.',
    remedy: 'GET /rebuilds lists them.',
  });

export const unknownVerification = (id: string, kept: number): StillwaterError =>
  new StillwaterError('unknown-verification', {
    what: `There is no verification ${JSON.stringify(id)}.`,
    evidence: `  kept  the newest ${kept} that finished`,
    consequence: 'Nothing was done.',
    remedy: 'Start one: `stillwater verify <view>`.',
  });

export const verified = ({ id, view, state }: VerifyStatus): StillwaterError =>
  new StillwaterError('verification-finished', {
    what: `The verification ${id} cannot be cancelled: it has come to its end.`,
    evidence: `  state  ${state}`,
    consequence: 'Nothing was changed.',
    remedy: `Start another: \`stillwater verify ${view}\`.`,
  });

export const queueFull = (waiting: number, allowed: number): StillwaterError =>
  new StillwaterError('rebuilds-max', {
    what: 'No more rebuilds can be asked for now.',
    evidence: `  waiting  ${waiting}\n  allowed  ${allowed}`,
    consequence: 'Nothing was started.',
    remedy: 'Wait for some to finish, or cancel some: `stillwater rebuilds`.',
  });

export const ofProcessing = (view: string, streams: readonly { readonly name: string }[]): StillwaterError =>
  new StillwaterError('processing-time', {
    what: `The view "${view}" cannot be verified: its rows depend on when they were processed.`,
    evidence: `  processingTime() of  ${streams.map(({ name }) => name).join(', ')}`,
    consequence: 'Nothing was started: a replay gives other times, and other rows.',
    remedy: 'No action; or declare the column as entryTime(), which the log tells.',
  });

export function overlapping(
  view: string,
  wanted: readonly string[],
  underWay: { id: string; views: readonly string[] },
): StillwaterError {
  const both = underWay.views.filter((other) => wanted.includes(other));
  return new StillwaterError('rebuild-state', {
    what: `The view "${view}" was not rebuilt: another rebuild of what reads it is under way.`,
    evidence: `  wanted     ${wanted.join(', ')}\n  under way  ${underWay.id} of ${underWay.views.join(', ')}\n  in both    ${both.join(', ')}`,
    consequence: 'Nothing was started. Promoted in the wrong order, one would undo the other.',
    remedy: `Wait for it, or cancel it: \`stillwater cancel ${underWay.id}\`.`,
  });
}

export const superseded = (what: string, release: number | null, newest: number): StillwaterError =>
  new StillwaterError('release-superseded', {
    what: `${what}: this process belongs to a release that is no longer the newest.`,
    evidence: `  release  ${release}\n  newest   ${newest}`,
    consequence: 'Nothing was started: two releases would rebuild over each other.',
    remedy: 'Ask a process of the newest release.',
  });

export const notCaughtUp = (
  id: string,
  { state, entriesDone, entriesTotal }: Pick<RebuildStatus, 'state' | 'entriesDone' | 'entriesTotal'>,
  paused: boolean,
): StillwaterError =>
  new StillwaterError('not-caught-up', {
    what: `The rebuild ${id} was not promoted: it has not caught up with what is served.`,
    evidence: `  state    ${state}\n  entries  ${entriesDone} of ${entriesTotal}`,
    consequence: 'What was served before is served on; readers would have gone back in time.',
    remedy: paused
      ? `Resume it: \`stillwater resume ${id}\`.`
      : 'Wait until its state is caughtUp, then ask again.',
  });

export const finished = (
  { id, view, state, reason }: Pick<RebuildStatus, 'id' | 'view' | 'state' | 'reason'>,
  wanted: string,
): StillwaterError =>
  new StillwaterError('rebuild-finished', {
    what: `The rebuild ${id} cannot be ${wanted}: it has come to its end.`,
    evidence: `  state  ${state}${reason === null ? '' : `\n  since  ${reason}`}`,
    consequence: 'Nothing was changed.',
    remedy:
      state === 'promoted'
        ? `To go back: \`stillwater rollback ${view}\`.`
        : `Start another: \`stillwater rebuild ${view}\`.`,
  });

export const otherDefinition = (
  view: string,
  declared: string,
  serving: Generation | null,
): StillwaterError =>
  new StillwaterError('no-code', {
    what: `The view "${view}" was not verified: ${serving ? 'what is served was made from another definition' : 'nothing of it is served yet'}.`,
    evidence: `  served    ${serving ? `generation ${serving.number}, ${serving.fingerprint}` : 'none'}\n  declared  ${declared}`,
    consequence: 'Nothing was started: a replay of another definition proves nothing.',
    remedy: 'Wait until its rebuild is promoted, then verify.',
  });
