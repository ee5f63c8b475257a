import { assert } from '../../assert.js';
import type { Mutation } from './mutation.js';
import { mutations } from './mutations.js';
import { type Outcome, Simulation, type SimulationOptions } from './simulation.js';
import {
  archivedSubject,
  movedOnly,
  movedSubject,
  overViewsSubject,
  randomSubject,
  roundsSubject,
  subjectInTime,
  trimmedSubject,
  windowsSubject,
} from './subjects.js';

/** Subjects one may ask for by name. */
export const NAMED_SUBJECTS = {
  moved: { subject: movedSubject },
  /** Slots of tasks go back one at a time, under rows that move once. */
  slots: { subject: movedOnly, slotsGoBack: 'any' },
  /** The same under rows that move more than once. */
  chains: { subject: roundsSubject, slotsGoBack: 'any' },
  /** Those of all tasks but 1.0. */
  rounds: { subject: roundsSubject, slotsGoBack: 'allButTheGiver' },
  /** That of 1.0 alone. */
  giver: { subject: roundsSubject, slotsGoBack: 'giver' },
  /** Those of tasks that send what they make of the rows of a view, and not those of that view. */
  overViews: { subject: overViewsSubject, slotsGoBack: 'senders' },
  archived: { subject: archivedSubject },
  /** Logs are trimmed, and nothing keeps what they lose. */
  trimmed: { subject: trimmedSubject },
  /** Tasks go from worker to worker all the time. */
  balanced: { tasksMove: true },
  random: { subject: randomSubject },
  timed: { subject: subjectInTime },
  windows: { subject: windowsSubject },
} satisfies Record<string, SimulationOptions>;

/** One run, said so that another thread understands it. */
export interface Run {
  readonly seed: number;
  /** Any, if it is not said. */
  readonly subject?: keyof typeof NAMED_SUBJECTS | undefined;
  /** The rule that is broken on purpose, where one is. */
  readonly breaks?: string;
}

export async function play({ seed, subject, breaks }: Run): Promise<Outcome> {
  const { code, ...broken } = breaks === undefined ? {} : mutationThatBreaks(breaks);
  const takeBack = code?.();
  const run = new Simulation(seed, { ...(subject && NAMED_SUBJECTS[subject]), ...broken });
  return run.run().finally(takeBack);
}

function mutationThatBreaks(rule: string): Omit<Mutation, 'breaks'> {
  const mutation = mutations.find(({ breaks }) => breaks === rule);
  assert(mutation !== undefined, `No mutation breaks the rule "${rule}".`);
  const { breaks: _, ...rest } = mutation;
  return rest;
}
