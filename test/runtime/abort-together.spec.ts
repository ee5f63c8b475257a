import { getEventListeners } from 'node:events';
import { abortTogether } from '../../src/runtime/abort-together.js';

describe('aborting together', () => {
  const ends = () => [new AbortController(), new AbortController()] as const;

  test('any of the signals ends it, also one that was aborted before', () => {
    const [one, other] = ends();
    const over = new AbortController();
    abortTogether(over, [one.signal, other.signal]);
    expect(over.signal.aborted).toBe(false);
    other.abort();
    expect(over.signal.aborted).toBe(true);
    const late = new AbortController();
    abortTogether(late, [one.signal, other.signal]);
    expect(late.signal.aborted).toBe(true);
  });

  test('letting go leaves nothing behind at signals that live on', () => {
    const [one, other] = ends();
    const over = new AbortController();
    abortTogether(over, [one.signal, other.signal])();
    expect([one, other].flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([]);
    one.abort();
    expect(over.signal.aborted).toBe(false);
  });
});
