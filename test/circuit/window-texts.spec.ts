import { WindowTexts } from '../../src/circuit/window-texts.js';
import { windowsOf } from '../../src/circuit/windows.js';
import { at } from '../support/timed.js';

const MINUTE = 60_000;
const hours = windowsOf(
  { kind: 'hopping', sizeMs: 60 * MINUTE, everyMs: MINUTE, offsetMs: 0, timeZone: null },
  null,
);

describe('windows as texts', () => {
  it('are in the order of their ends, and known for all times with the same', () => {
    const texts = new WindowTexts(hours);
    const { from, to, windows } = texts.at(at('10:00:30'));
    expect([from, to, windows!.length]).toEqual([at('10:00'), at('10:01'), 60]);
    expect([windows![0], windows!.at(-1)]).toEqual([
      [at('09:01'), at('10:01')],
      [at('10:00'), at('11:00')],
    ]);
    expect(texts.at(at('10:00:59'))).toBe(texts.at(at('10:00')));
    expect(texts.ends(from)).toEqual({ first: at('10:01'), last: at('11:00') });
  });

  it('remember the ends of more times than they remember the windows of', () => {
    let asked = 0;
    const texts = new WindowTexts((ms) => (asked++, hours(ms)));
    for (let round = 0; round < 2; round++)
      for (let minute = 0; minute < 5_000; minute++) texts.ends(at(minute * MINUTE));
    expect(asked).toBe(5_000);
  });
});
