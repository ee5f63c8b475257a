import { setMaxListeners } from 'node:events';

/**
 * Aborts a controller as soon as one of several signals is. Returns how to let go of them. `AbortSignal.any` would do for
 * signals that end soon; one that lives as long as the process keeps about 100 bytes of each signal made of it.
 */
export function abortTogether(controller: AbortController, signals: readonly AbortSignal[]): () => void {
  // As many as there are inputs or readers listen to one signal: that is no leak.
  setMaxListeners(0, ...signals);
  const abort = (): void => controller.abort();
  for (const signal of signals) {
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
  }
  return () => {
    for (const signal of signals) signal.removeEventListener('abort', abort);
  };
}
