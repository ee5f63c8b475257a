import { type FSWatcher, watch } from 'node:fs';
import { resolve } from 'node:path';
import { messageOf, StillwaterError } from '../errors/stillwater-error.js';
import type { SourceDeclaration } from '../view/declarations.js';
import type { ImportLimits } from './import-watch.js';
import { loadDeclarations } from './load-views.js';

/** Editors write a file in several steps, and a checkout many files: they are one change. */
const QUIET_MS = 100;

/**
 * Loads all modules of a directory anew whenever something in it is saved, and says what they declare or what is wrong
 * with them. A mistake stops nothing: the next save is looked at again. One load at a time; what is saved meanwhile
 * leads to another. Returns how to stop.
 */
export function watchViews(
  { directory, limits }: { directory: string; limits?: Partial<ImportLimits> },
  onChange: (outcome: readonly SourceDeclaration[] | Error) => void,
): () => void {
  let timer: NodeJS.Timeout | null = null;
  let loading = false;
  let again = false;
  let stopped = false;

  const load = async (): Promise<void> => {
    if (loading) return void (again = true);
    loading = true;
    do {
      again = false;
      const outcome = await loadDeclarations(directory, { fresh: true, ...(limits && { limits }) }).catch(
        (thrown: unknown) => (thrown instanceof Error ? thrown : new Error(messageOf(thrown))),
      );
      if (!stopped && !again) onChange(outcome);
    } while (again && !stopped);
    loading = false;
  };
  const changed = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(() => {
      // Many editors save by renaming, and a watcher goes on watching the file that went: each change needs a new one.
      watcher.close();
      watcher = begin();
      void load();
    }, QUIET_MS);
  };

  const begin = (): FSWatcher => {
    const begun = watch(resolve(directory), { recursive: true }, changed);
    begun.on('error', (error) =>
      onChange(
        new StillwaterError('watch-ended', {
          what: `The directory ${directory} can no longer be watched.`,
          evidence: `  ${error.message}`,
          consequence: 'What is saved is not deployed any more; what runs goes on.',
          remedy: 'Start `stillwater dev` again.',
        }),
      ),
    );
    return begun;
  };
  let watcher = begin();
  return () => {
    stopped = true;
    if (timer !== null) clearTimeout(timer);
    watcher.close();
  };
}
