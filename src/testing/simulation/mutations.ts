import { archiveMutations } from './archive-mutations.js';
import { circuitMutations } from './circuit-mutations.js';
import { exchangeMutations } from './exchange-mutations.js';
import type { Mutation } from './mutation.js';
import { roundsMutations } from './rounds-mutations.js';
import { sourceLogMutations } from './source-log-mutations.js';
import { taskStoreMutations } from './task-store-mutations.js';
import { viewStoreMutations } from './view-store-mutations.js';

/** All the rules that are broken on purpose. */
export const mutations: readonly Mutation[] = [
  ...taskStoreMutations,
  ...sourceLogMutations,
  ...viewStoreMutations,
  ...exchangeMutations,
  ...roundsMutations,
  ...archiveMutations,
  ...circuitMutations,
];
